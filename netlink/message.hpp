// What a route netlink message says: its header, its attributes, addresses in them.
#pragma once

#include <libmnl/libmnl.h>

#include <array>
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>
#include <string>

#include "model/address.hpp"

namespace penstock::netlink {

using Bytes = std::span<const std::uint8_t>;

// Attributes of one level, by type. Later kernels have more types; those that are asked for are all below the bound.
class Attributes {
 public:
  template <typename Header>
  [[nodiscard]] static Attributes of(const nlmsghdr* message) {
    Attributes attributes;
    mnl_attr_parse(message, sizeof(Header), keep, &attributes);
    return attributes;
  }

  [[nodiscard]] bool has(std::size_t type) const { return found_[type] != nullptr; }
  // Those within; none if it isn't there.
  [[nodiscard]] Attributes nested(std::size_t type) const;
  // Empty: not there.
  [[nodiscard]] Bytes bytes(std::size_t type) const;
  [[nodiscard]] std::string text(std::size_t type) const;
  // Of the machine's byte order. `otherwise`: not there, or of another size.
  template <typename Number = std::uint32_t>
  [[nodiscard]] Number number(std::size_t type, Number otherwise = 0) const {
    const Bytes value = bytes(type);
    if (value.size() == sizeof otherwise) std::memcpy(&otherwise, value.data(), sizeof otherwise);
    return otherwise;
  }

 private:
  static constexpr std::size_t types = 64;

  static int keep(const nlattr* attribute, void* self);

  std::array<const nlattr*, types> found_{};
};

// Null: the message is too short for it.
template <typename Header>
[[nodiscard]] const Header* header_of(const nlmsghdr* message) {
  if (mnl_nlmsg_get_payload_len(message) < sizeof(Header)) return nullptr;
  return static_cast<const Header*>(mnl_nlmsg_get_payload(message));
}

// `family`: AF_INET, AF_INET6; none for another one, or another length.
[[nodiscard]] std::optional<model::Address> address_of(unsigned family, Bytes bytes);
// The address that the host has: of a point-to-point link IFA_ADDRESS is the other end's.
[[nodiscard]] std::optional<model::Address> own_address_of(unsigned family, const Attributes& attributes);
// RTA_GATEWAY, or RTA_VIA, which may be of the other family.
[[nodiscard]] std::optional<model::Address> gateway_of(unsigned family, const Attributes& attributes);
// Four or sixteen bytes, as on the wire.
[[nodiscard]] Bytes bytes_of(const model::Address& address);
// AF_INET, AF_INET6.
[[nodiscard]] std::uint8_t family_of(const model::Address& address);
// Six bytes, or none.
[[nodiscard]] std::optional<std::array<std::uint8_t, 6>> mac_of(Bytes bytes);

}  // namespace penstock::netlink
