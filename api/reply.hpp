// What a director answers. An answer is any number of values followed by exactly one end, Done or an Error: a listing of a
// million connections is many small frames, and it can still fail half-way.
#pragma once

#include <variant>
#include <vector>

#include "api/types.hpp"
#include "base/error.hpp"

namespace penstock::api {

struct Done {};

using Reply = std::variant<Done, Error, ServiceView, std::vector<ConnectionView>, Timeouts, Info, std::vector<Counter>,
                           std::vector<Setting>, std::vector<model::MarkRule>, std::vector<model::Address>>;

[[nodiscard]] inline bool ends_answer(const Reply& reply) {
  return std::holds_alternative<Done>(reply) || std::holds_alternative<Error>(reply);
}

}  // namespace penstock::api
