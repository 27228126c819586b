#include "model/address.hpp"

#include <arpa/inet.h>

#include <algorithm>

namespace penstock::model {
namespace {

bool is_all(const Address& address, std::ptrdiff_t length, std::uint8_t value) {
  return std::all_of(address.bytes.begin(), address.bytes.begin() + length,
                     [&](std::uint8_t byte) { return byte == value; });
}

}  // namespace

const char* to_string(Family family) { return family == Family::ipv4 ? "IPv4" : "IPv6"; }

bool is_unicast(const Address& address) {
  const auto& bytes = address.bytes;
  if (address.family == Family::ipv4) return bytes[0] != 0 && (bytes[0] & 0xf0) != 0xe0 && !is_all(address, 4, 0xff);
  const bool link_local = bytes[0] == 0xfe && (bytes[1] & 0xc0) == 0x80;
  return bytes[0] != 0xff && !link_local && !is_all(address, 16, 0);
}

bool is_loopback(const Address& address) {
  if (address.family == Family::ipv4) return address.bytes[0] == 127;
  return is_all(address, 15, 0) && address.bytes[15] == 1;
}

std::optional<Address> parse_address(std::string_view text) {
  const std::string terminated(text);
  Address address;
  if (inet_pton(AF_INET, terminated.c_str(), address.bytes.data()) == 1) return address;
  address.family = Family::ipv6;
  if (inet_pton(AF_INET6, terminated.c_str(), address.bytes.data()) == 1) return address;
  return std::nullopt;
}

std::string to_string(const Address& address) {
  char text[INET6_ADDRSTRLEN] = {};
  inet_ntop(address.family == Family::ipv4 ? AF_INET : AF_INET6, address.bytes.data(), text, sizeof text);
  return text;
}

std::string to_string(const Endpoint& endpoint) {
  const std::string port = ":" + std::to_string(endpoint.port);
  if (endpoint.address.family == Family::ipv4) return to_string(endpoint.address) + port;
  return "[" + to_string(endpoint.address) + "]" + port;
}

}  // namespace penstock::model
