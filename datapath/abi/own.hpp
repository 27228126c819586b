// Which addresses are the director's own: the kernel's local routes. No packet may come from one, and what is sent to one is not
// sent on.
#pragma once

#include "datapath/abi/address.hpp"

namespace penstock {

static constexpr u32 own_prefixes_max = 64;

struct OwnPrefix {
  AddressImage prefix;
  AddressImage mask;
  Family family;
  u8 zero[7];
};
static_assert(sizeof(OwnPrefix) == 40);

struct OwnPrefixes {
  u32 count;
  u32 zero;
  OwnPrefix prefixes[own_prefixes_max];
};

}  // namespace penstock
