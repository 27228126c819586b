// IP addresses and endpoints as values: parsing, printing, ordering. IPv4 fills the first four bytes.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace penstock::model {

enum class Family : std::uint8_t { ipv4 = 4, ipv6 = 6 };

struct Address {
  Family family = Family::ipv4;
  std::array<std::uint8_t, 16> bytes{};  // network order; IPv4: bytes 0-3, the rest zero

  friend auto operator<=>(const Address&, const Address&) = default;
};

// "192.0.2.1", "2001:db8::1"; nothing else, no port, no brackets.
[[nodiscard]] std::optional<Address> parse_address(std::string_view text);
[[nodiscard]] std::string to_string(const Address& address);

// "IPv4", "IPv6": for messages.
[[nodiscard]] const char* to_string(Family family);

// An address that one host may have: not 0.0.0.0/8 or ::, no multicast or broadcast, not link-local in IPv6. Loopback is.
[[nodiscard]] bool is_unicast(const Address& address);
[[nodiscard]] bool is_loopback(const Address& address);

struct Endpoint {
  Address address;
  std::uint16_t port = 0;  // host order

  friend auto operator<=>(const Endpoint&, const Endpoint&) = default;
};

// "192.0.2.1:80", "[2001:db8::1]:80"
[[nodiscard]] std::string to_string(const Endpoint& endpoint);

}  // namespace penstock::model
