// What stands in /proc: sysctls and the kernel's counters.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "doctor/facts.hpp"

namespace penstock::doctor {

// A sysctl that is one number, as "net/ipv4/ip_forward". Nothing: there is none of that name.
[[nodiscard]] std::optional<int> read_sysctl(const std::string& name);

// The larger of `all` and the interface's own, as the kernel takes arp_ignore, arp_announce and rp_filter.
[[nodiscard]] int read_interface_sysctl(const std::string& interface, const std::string& name);

// Packets for other hosts that were not forwarded: Ip's InAddrErrors and Ip6InAddrErrors.
[[nodiscard]] std::uint64_t read_unforwarded(model::Family family);

}  // namespace penstock::doctor
