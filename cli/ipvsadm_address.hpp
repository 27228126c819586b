// How ipvsadm reads numbers, hosts, ports and masks from its arguments: with the C library's old leniency ("10.1:80", "+80"), and its
// refusals ("1234" alone is no address).
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "cli/names.hpp"
#include "model/address.hpp"
#include "model/service.hpp"

namespace penstock::cli {

struct Range {
  std::int64_t min;
  std::int64_t max;
};

// Decimal, as strtol reads it; nothing after it.
[[nodiscard]] std::optional<std::int64_t> parse_number(const std::string& text, Range range);

struct HostAndPort {
  model::Address address;
  std::optional<std::uint16_t> port;
};

// "192.0.2.1", "host:http", "[2001:db8::1]:80", "2001:db8::1"; brackets need a port after them. Without a protocol no service has a name.
[[nodiscard]] std::optional<HostAndPort> parse_host_and_port(const std::string& text,
                                                             std::optional<model::Protocol> protocol,
                                                             const Names& names);

// IPv4: the mask in host order, written like an address. IPv6: a prefix length from 1 to 128.
[[nodiscard]] std::optional<std::uint32_t> parse_netmask(const std::string& text, model::Family family,
                                                         const Names& names);

}  // namespace penstock::cli
