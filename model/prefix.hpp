// A block of addresses: "203.0.113.0/24", "2001:db8::/32".
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "model/address.hpp"

namespace penstock::model {

// Bits of the address beyond the length are zero, so that equal blocks are equal values. Length 0 is every address of the family.
struct Prefix {
  Address address;
  std::uint8_t length = 0;

  friend auto operator<=>(const Prefix&, const Prefix&) = default;
};

[[nodiscard]] constexpr std::uint8_t prefix_length_max(Family family) { return family == Family::ipv4 ? 32 : 128; }

[[nodiscard]] Prefix any_address(Family family);
// `length` at most prefix_length_max; further bits of the address are dropped.
[[nodiscard]] Prefix make_prefix(const Address& address, std::uint8_t length);
[[nodiscard]] bool contains(const Prefix& prefix, const Address& address);

// An address alone is a block of one. iptables too drops what stands beyond the length.
[[nodiscard]] std::optional<Prefix> parse_prefix(std::string_view text);
[[nodiscard]] std::string to_string(const Prefix& prefix);

}  // namespace penstock::model
