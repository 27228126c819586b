#include "netlink/message.hpp"

#include <linux/if_addr.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>

#include <algorithm>

namespace penstock::netlink {

int Attributes::keep(const nlattr* attribute, void* self) {
  const std::size_t type = mnl_attr_get_type(attribute);
  if (type < types) static_cast<Attributes*>(self)->found_[type] = attribute;
  return MNL_CB_OK;
}

Attributes Attributes::nested(std::size_t type) const {
  Attributes attributes;
  if (has(type)) mnl_attr_parse_nested(found_[type], keep, &attributes);
  return attributes;
}

Bytes Attributes::bytes(std::size_t type) const {
  if (!has(type)) return {};
  return {static_cast<const std::uint8_t*>(mnl_attr_get_payload(found_[type])), mnl_attr_get_payload_len(found_[type])};
}

std::string Attributes::text(std::size_t type) const {
  const Bytes value = bytes(type);
  const auto* begin = reinterpret_cast<const char*>(value.data());
  return value.empty() ? std::string() : std::string(begin, strnlen(begin, value.size()));
}

std::optional<model::Address> address_of(unsigned family, Bytes bytes) {
  const std::size_t length = family == AF_INET ? 4 : family == AF_INET6 ? 16 : 0;
  if (length == 0 || bytes.size() != length) return std::nullopt;
  model::Address address;
  address.family = family == AF_INET ? model::Family::ipv4 : model::Family::ipv6;
  std::ranges::copy(bytes, address.bytes.begin());
  return address;
}

std::optional<model::Address> own_address_of(unsigned family, const Attributes& attributes) {
  return address_of(family, attributes.bytes(attributes.has(IFA_LOCAL) ? IFA_LOCAL : IFA_ADDRESS));
}

std::optional<model::Address> gateway_of(unsigned family, const Attributes& attributes) {
  if (attributes.has(RTA_GATEWAY)) return address_of(family, attributes.bytes(RTA_GATEWAY));
  const Bytes via = attributes.bytes(RTA_VIA);  // struct rtvia
  std::uint16_t via_family = 0;
  if (via.size() < sizeof via_family) return std::nullopt;
  std::memcpy(&via_family, via.data(), sizeof via_family);
  return address_of(via_family, via.subspan(sizeof via_family));
}

Bytes bytes_of(const model::Address& address) {
  return Bytes(address.bytes).first(address.family == model::Family::ipv4 ? 4 : 16);
}

std::uint8_t family_of(const model::Address& address) {
  return address.family == model::Family::ipv4 ? AF_INET : AF_INET6;
}

std::optional<std::array<std::uint8_t, 6>> mac_of(Bytes bytes) {
  std::array<std::uint8_t, 6> mac{};
  if (bytes.size() != mac.size()) return std::nullopt;
  std::ranges::copy(bytes, mac.begin());
  return mac;
}

}  // namespace penstock::netlink
