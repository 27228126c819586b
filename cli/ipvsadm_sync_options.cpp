#include "cli/ipvsadm_sync_options.hpp"

#include <fmt/format.h>

#include "cli/ipvsadm_address.hpp"
#include "model/address.hpp"

namespace penstock::cli {
namespace {

constexpr std::int64_t datagram_payload_max = 65507;

bool is_multicast(const model::Address& address) {
  if (address.family == model::Family::ipv6) return address.bytes[0] == 0xff;
  return (address.bytes[0] & 0xf0) == 0xe0;
}

std::optional<std::string> group_complaint(const std::string& group) {
  const bool looks_like_ipv6 = group.find(':') != std::string::npos;
  const auto address = model::parse_address(group);
  if (address && is_multicast(*address)) return std::nullopt;
  return fmt::format("invalid {} mcast-group `{}'", looks_like_ipv6 ? "IPv6" : "IPv4", group);
}

std::optional<std::string> number_complaint(Option option, const std::string& value, Range range) {
  if (parse_number(value, range)) return std::nullopt;
  return fmt::format("illegal {} specified", to_string(option));
}

}  // namespace

std::optional<std::string> sync_option_complaint(Option option, const std::string& value) {
  if (option == Option::syncid) return number_complaint(option, value, {0, 255});
  if (option == Option::sync_maxlen) return number_complaint(option, value, {1, datagram_payload_max});
  if (option == Option::mcast_port) return number_complaint(option, value, {1, 65535});
  if (option == Option::mcast_ttl) return number_complaint(option, value, {1, 255});
  if (option == Option::mcast_group) return group_complaint(value);
  return std::nullopt;  // --mcast-interface: any name
}

}  // namespace penstock::cli
