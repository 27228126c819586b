// What a driver says by ethtool.
#pragma once

#include <cstdint>
#include <string>

#include "base/result.hpp"

namespace penstock::doctor {

// Frames that an XDP program sent back, summed over the queues. Zero where the driver does not count them by veth's names.
struct XdpCounters {
  std::uint64_t sent = 0;
  std::uint64_t lost = 0;
};

// A driver without the call has none of either.
[[nodiscard]] bool has_lro(const std::string& interface);
[[nodiscard]] XdpCounters xdp_counters(const std::string& interface);

}  // namespace penstock::doctor
