// IPVS: mh's hash, the kernel's hsiphash of one number on 64-bit machines: the low half of SipHash-1-3, under two keys that are
// the same everywhere, so that all directors agree; whoever wants can choose addresses that meet at one server.
#pragma once

#include "datapath/abi/address.hpp"
#include "datapath/abi/types.hpp"
#include "datapath/core/inline.hpp"
#include "schedulers/address_fold.hpp"

namespace penstock::schedulers {

// Both words of a key are the same.
static constexpr u64 mh_first_key = 2654435761;   // where a server's permutation begins, and a client's entry
static constexpr u64 mh_second_key = 2654446892;  // how a server's permutation goes on

struct SipState {
  u64 v0, v1, v2, v3;
};

PEN_INLINE u64 rotated(u64 word, u32 bits) { return word << bits | word >> (64 - bits); }

PEN_INLINE SipState sip_round(SipState s) {
  s.v0 += s.v1;
  s.v2 += s.v3;
  s.v1 = rotated(s.v1, 13) ^ s.v0;
  s.v3 = rotated(s.v3, 16) ^ s.v2;
  s.v0 = rotated(s.v0, 32);
  s.v2 += s.v1;
  s.v0 += s.v3;
  s.v1 = rotated(s.v1, 17) ^ s.v2;
  s.v3 = rotated(s.v3, 21) ^ s.v0;
  s.v2 = rotated(s.v2, 32);
  return s;
}

PEN_INLINE u32 siphash(u32 number, u64 key) {
  SipState state{.v0 = key ^ 0x736f6d6570736575,
                 .v1 = key ^ 0x646f72616e646f6d,
                 .v2 = key ^ 0x6c7967656e657261,
                 .v3 = key ^ 0x7465646279746573};
  const u64 message = u64{sizeof(number)} << 56 | number;
  state.v3 ^= message;
  state = sip_round(state);
  state.v0 ^= message;
  state.v2 ^= 0xff;
  state = sip_round(sip_round(sip_round(state)));
  return static_cast<u32>(state.v0 ^ state.v1 ^ state.v2 ^ state.v3);
}

PEN_INLINE u32 mh_hash(const AddressImage& address, Family family, be16 port, u32 offset, u64 key) {
  return siphash(offset + host(port) + folded(address, family), key);
}

// Of a table of `size` entries, never 0. `port` is the client's with mh-port, else 0. `offset` is 0; with mh-fallback, when that
// entry's server takes nothing: (that entry + k) % size for k = 0, 1, 2, …
PEN_INLINE u32 mh_entry(const AddressImage& client, Family family, be16 port, u32 offset, u32 size) {
  return mh_hash(client, family, port, offset, mh_first_key) % size;
}

}  // namespace penstock::schedulers
