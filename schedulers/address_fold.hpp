// IPVS: an address as the number that its hashing schedulers (dh, sh, mh) count with. IPv6 addresses whose four words have the
// same XOR are one address to them.
#pragma once

#include "datapath/abi/address.hpp"
#include "datapath/abi/types.hpp"
#include "datapath/core/inline.hpp"

namespace penstock::schedulers {

PEN_INLINE u32 folded(const AddressImage& address, Family family) {
  const u64 halves = address.low ^ address.high;
  const u64 words = family == Family::ipv4 ? address.low : halves ^ halves >> 32;
  return host(static_cast<be32>(static_cast<u32>(words)));
}

}  // namespace penstock::schedulers
