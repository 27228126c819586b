// Firewall marks are given by Penstock's own rules, since a packet reaches XDP before netfilter. They stand in a list, and of
// those that match a packet the LAST one's mark counts, as with consecutive `-j MARK --set-mark` rules of iptables. Mark 0 is
// no mark, so that a later rule can take packets out of an earlier one.
#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "model/prefix.hpp"
#include "model/service.hpp"

namespace penstock::model {

inline constexpr std::size_t mark_rules_max = 64;
inline constexpr std::size_t port_ranges_max = 15;  // as iptables' multiport

// Both ends included.
struct PortRange {
  std::uint16_t first = 0;
  std::uint16_t last = 0;

  friend auto operator<=>(const PortRange&, const PortRange&) = default;
};

struct MarkRule {
  Family family = Family::ipv4;
  std::optional<Protocol> protocol;  // nothing: any
  Prefix source = any_address(Family::ipv4);
  Prefix destination = any_address(Family::ipv4);
  std::vector<PortRange> source_ports;  // empty: any
  std::vector<PortRange> destination_ports;
  std::uint32_t mark = 0;

  friend auto operator<=>(const MarkRule&, const MarkRule&) = default;
};

// Error (EINVAL): ports without a protocol, a range that ends before it begins, too many ranges, prefixes of another family.
[[nodiscard]] Result<void> check(const MarkRule& rule);

// "80,443,8000:8080"
[[nodiscard]] std::optional<std::vector<PortRange>> parse_port_ranges(std::string_view text);
[[nodiscard]] std::string to_string(const std::vector<PortRange>& ranges);

// As an operator types it: "5 --protocol tcp --destination 203.0.113.0/24 --ports 80,443".
[[nodiscard]] std::string to_string(const MarkRule& rule);

}  // namespace penstock::model
