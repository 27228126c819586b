#include "cli/ipvsadm_address.hpp"

#include <arpa/inet.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>

namespace penstock::cli {
namespace {

constexpr Range port_range = {0, 65535};
constexpr Range prefix_length_range = {1, 128};

bool is_all_digits(const std::string& text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

std::optional<model::Address> parse_ipv6(const std::string& text) {
  model::Address address{.family = model::Family::ipv6, .bytes = {}};
  if (inet_pton(AF_INET6, text.c_str(), address.bytes.data()) != 1) return std::nullopt;
  return address;
}

// inet_aton: "10.1" is 10.0.0.1, "0x0a000001" too.
std::optional<model::Address> parse_ipv4_or_host(const std::string& text, const Names& names) {
  in_addr parsed{};
  if (inet_aton(text.c_str(), &parsed) == 0) return text.empty() ? std::nullopt : names.address_of_host(text);
  model::Address address;
  std::memcpy(address.bytes.data(), &parsed, 4);
  return address;
}

std::optional<std::uint16_t> parse_port(const std::string& text, std::optional<model::Protocol> protocol,
                                        const Names& names) {
  if (const auto number = parse_number(text, port_range)) return static_cast<std::uint16_t>(*number);
  if (!protocol) return std::nullopt;
  return names.port_of_service(text, *protocol);
}

struct Parts {
  std::string host;
  std::optional<std::string> port;
};

// "[host]:port"; nothing without the brackets or the colon after them.
std::optional<Parts> split_brackets(const std::string& text) {
  const auto end = text.find(']');
  if (end == std::string::npos || text.substr(end + 1, 1) != ":") return std::nullopt;
  return Parts{text.substr(1, end - 1), text.substr(end + 2)};
}

Parts split_at_last_colon(const std::string& text) {
  const auto colon = text.rfind(':');
  if (colon == std::string::npos) return {text, std::nullopt};
  return {text.substr(0, colon), text.substr(colon + 1)};
}

std::optional<HostAndPort> with_port(const model::Address& address, const std::optional<std::string>& port,
                                     std::optional<model::Protocol> protocol, const Names& names) {
  if (!port) return HostAndPort{address, std::nullopt};
  const auto number = parse_port(*port, protocol, names);
  if (!number) return std::nullopt;
  return HostAndPort{address, *number};
}

}  // namespace

std::optional<std::int64_t> parse_number(const std::string& text, Range range) {
  errno = 0;
  char* end = nullptr;
  const long long number = std::strtoll(text.c_str(), &end, 10);
  if (end == text.c_str() || *end != '\0' || errno == ERANGE) return std::nullopt;
  if (number < range.min || number > range.max) return std::nullopt;
  return number;
}

std::optional<HostAndPort> parse_host_and_port(const std::string& text, std::optional<model::Protocol> protocol,
                                               const Names& names) {
  if (is_all_digits(text)) return std::nullopt;
  Parts parts{text, std::nullopt};
  if (text[0] == '[') {
    const auto inside = split_brackets(text);
    if (!inside) return std::nullopt;
    parts = *inside;
  }
  if (const auto address = parse_ipv6(parts.host)) return with_port(*address, parts.port, protocol, names);
  // ipvsadm 1.31 forgets the port behind brackets that hold no IPv6 address.
  parts = split_at_last_colon(parts.host);
  const auto address = parse_ipv4_or_host(parts.host, names);
  if (!address) return std::nullopt;
  return with_port(*address, parts.port, protocol, names);
}

std::optional<std::uint32_t> parse_netmask(const std::string& text, model::Family family, const Names& names) {
  if (family == model::Family::ipv6) {
    const auto length = parse_number(text, prefix_length_range);
    if (!length) return std::nullopt;
    return static_cast<std::uint32_t>(*length);
  }
  const auto mask = parse_ipv4_or_host(text, names);
  if (!mask) return std::nullopt;
  std::uint32_t value = 0;
  std::memcpy(&value, mask->bytes.data(), 4);
  return ntohl(value);
}

}  // namespace penstock::cli
