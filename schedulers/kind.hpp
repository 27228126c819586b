// The schedulers, by IPVS's names.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace penstock::schedulers {

enum class Kind : std::uint8_t {
  rr,
  wrr,
  lc,
  wlc,
  sed,
  nq,
  lblc,
  lblcr,
  dh,
  sh,
  mh,
  fo,
  ovf,
  twos,
  none,  // a service that takes no new connections
};

[[nodiscard]] std::optional<Kind> kind_of(std::string_view name);

}  // namespace penstock::schedulers
