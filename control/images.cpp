#include "control/images.hpp"

#include <cstring>

namespace penstock::control {

Family image_of(model::Family family) { return family == model::Family::ipv4 ? Family::ipv4 : Family::ipv6; }

AddressImage image_of(const model::Address& address) {
  AddressImage image{};
  static_assert(sizeof image == sizeof address.bytes);
  std::memcpy(&image, address.bytes.data(), sizeof image);
  return image;
}

// The model has taken IPVS's numbers, as the records have.
Method image_of(model::Method method) { return static_cast<Method>(method); }

ServiceKey image_of(const model::ServiceKey& key) {
  const Family family = image_of(key.vip.address.family);
  if (key.fwmark != 0) return {.vip = {}, .port = {}, .protocol = 0, .family = family, .mark = key.fwmark};
  return {.vip = image_of(key.vip.address),
          .port = big(key.vip.port),
          .protocol = static_cast<u8>(key.protocol),
          .family = family,
          .mark = 0};
}

model::Endpoint endpoint_of(const AddressImage& address, Family family, be16 port) {
  model::Endpoint endpoint;
  endpoint.address.family = family == Family::ipv4 ? model::Family::ipv4 : model::Family::ipv6;
  std::memcpy(endpoint.address.bytes.data(), &address, sizeof address);
  endpoint.port = host(port);
  return endpoint;
}

model::ServiceKey key_of(const ServiceKey& key) {
  model::ServiceKey named;
  named.fwmark = key.mark;
  if (key.mark == 0) named.protocol = static_cast<model::Protocol>(key.protocol);
  named.vip = endpoint_of(key.vip, key.family, key.port);
  return named;
}

}  // namespace penstock::control
