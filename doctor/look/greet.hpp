// Making TCP connections to real servers, and closing them at once.
#pragma once

#include <chrono>
#include <cstddef>
#include <optional>
#include <vector>

#include "doctor/facts.hpp"

namespace penstock::doctor {

inline constexpr std::size_t greetings_max = 256;  // at a time; more endpoints wait for the next turn

struct GreetingPlan {
  model::Endpoint to;
  std::optional<model::Address> from{};  // none: the kernel chooses
  bool must_answer = true;               // goes into the Attempt
};

// All within `time_max` for each 256. One answer for each plan, in their order; who can't be reached is silent.
[[nodiscard]] std::vector<Attempt> greet(const std::vector<GreetingPlan>& plans, std::chrono::milliseconds time_max);

}  // namespace penstock::doctor
