// IPVS: the buckets of sh and dh, by the kernel's hash_32(): the top bits of a product with the golden ratio. It has no secret, so
// that all directors agree; whoever wants can choose addresses that meet in one bucket.
#pragma once

#include "datapath/abi/address.hpp"
#include "datapath/abi/types.hpp"
#include "datapath/core/inline.hpp"
#include "schedulers/address_fold.hpp"

namespace penstock::schedulers {

static constexpr u32 hash_bucket_bits = 8;
static constexpr u32 hash_buckets = 1U << hash_bucket_bits;  // slots of a table of sh or dh
static constexpr u32 golden_ratio = 0x61c88647;

PEN_INLINE u32 top_bits(u32 number) { return number * golden_ratio >> (32 - hash_bucket_bits); }

// `port` is the client's with sh-port, else 0. `offset` is 0; with sh-fallback, when that bucket's server takes nothing: (that
// bucket + k) % hash_buckets for k = 0, 1, 2, …
PEN_INLINE u32 sh_bucket(const AddressImage& client, Family family, be16 port, u32 offset) {
  return (offset + top_bits(host(port) + folded(client, family))) % hash_buckets;
}

PEN_INLINE u32 dh_bucket(const AddressImage& destination, Family family) {
  return top_bits(folded(destination, family));
}

}  // namespace penstock::schedulers
