// Addresses and keys between the model, which people read, and the records, which the packet path compares.
#pragma once

#include "datapath/abi/connection.hpp"
#include "datapath/abi/service.hpp"
#include "model/service.hpp"

namespace penstock::control {

[[nodiscard]] Family image_of(model::Family family);
[[nodiscard]] AddressImage image_of(const model::Address& address);
[[nodiscard]] Method image_of(model::Method method);
[[nodiscard]] ServiceKey image_of(const model::ServiceKey& key);

[[nodiscard]] model::Endpoint endpoint_of(const AddressImage& address, Family family, be16 port);
[[nodiscard]] model::ServiceKey key_of(const ServiceKey& key);

}  // namespace penstock::control
