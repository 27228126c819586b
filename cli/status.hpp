// `penstock status`: one look at a director, for people and for programs.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "api/director.hpp"
#include "base/result.hpp"

namespace penstock::cli {

struct Status {
  std::size_t services = 0;
  std::size_t real_servers = 0;
  std::uint64_t active = 0;
  std::uint64_t inactive = 0;
  std::uint64_t connections_max = 0;
  std::vector<api::InterfaceView> interfaces;
  std::vector<api::Counter> reasons;
};

[[nodiscard]] Result<Status> read_status(api::Director& director);

// Reasons that no packet had are left out.
[[nodiscard]] std::string status_table(const Status& status);
// One object on one line; every reason is in it.
[[nodiscard]] std::string status_json(const Status& status);

}  // namespace penstock::cli
