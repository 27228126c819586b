// An address in words as the packet path has it, for tests of what it computes.
#pragma once

#include <cstring>
#include <string_view>

#include "datapath/abi/address.hpp"
#include "model/address.hpp"

namespace penstock::schedulers {

struct FamilyImage {
  AddressImage image;
  Family family;
};

// `text` is an address.
inline FamilyImage image_of(std::string_view text) {
  const model::Address address = model::parse_address(text).value();
  FamilyImage made{.image = {}, .family = static_cast<Family>(address.family)};
  std::memcpy(&made.image, address.bytes.data(), sizeof(made.image));
  return made;
}

}  // namespace penstock::schedulers
