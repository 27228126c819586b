// Hashes of the packet path. NH, the universal hash of UMAC (RFC 4418 §5.2), places records in the tables: whoever doesn't know
// its key, the boot secret, cannot choose keys that meet in one bucket (ADR-0005). The VIP filter needs no secret: a collision
// there only costs time.
#pragma once

#include "datapath/abi/config.hpp"
#include "datapath/abi/service.hpp"
#include "datapath/core/inline.hpp"

namespace penstock {

using HashKey = u64[hash_key_words];

// Two 32-bit words of the message under the key's word `i`. Any two messages of one length have the same sum of such products
// with a probability of at most 2^-32 over the choice of the key.
PEN_INLINE u64 nh_pair(const HashKey& key, u32 i, u32 first, u32 second) {
  return static_cast<u64>(first + static_cast<u32>(key[i])) * static_cast<u32>(second + static_cast<u32>(key[i] >> 32));
}

// Spreads the sum over all bits: a bijection (the finalizer of SplitMix64), so that no two sums meet again.
PEN_INLINE u64 spread(u64 sum) {
  sum = (sum ^ sum >> 30) * 0xbf58476d1ce4e5b9ULL;
  sum = (sum ^ sum >> 27) * 0x94d049bb133111ebULL;
  return sum ^ sum >> 31;
}

// The same for the upper bits only, in fewer instructions.
PEN_INLINE u64 scramble(u64 sum) { return (sum ^ sum >> 32) * 0x9e3779b97f4a7c15ULL; }

PEN_INLINE u32 low_half(u64 word) { return static_cast<u32>(word); }
PEN_INLINE u32 high_half(u64 word) { return static_cast<u32>(word >> 32); }

PEN_INLINE u32 both(be16 first, u32 second) { return static_cast<u32>(first) | second << 16; }

// NH of a key's two ends: the client's is what a connection and its replies through nat have in common.
struct EndSums {
  u64 client;
  u64 vip;
};

// Each word of the message has a key word of its own, whatever the family.
PEN_INLINE EndSums nh_of_ends(const HashKey& key, const FlowKey& flow) {
  const u32 kind = static_cast<u32>(flow.family) | static_cast<u32>(flow.role) << 8;
  EndSums sums{.client = nh_pair(key, 0, both(flow.client_port, flow.protocol), low_half(flow.client.low)),
               .vip = nh_pair(key, 1, both(flow.vip_port, kind), low_half(flow.vip.low))};
  if (flow.family == Family::ipv4) return sums;
  sums.client += nh_pair(key, 2, high_half(flow.client.low), low_half(flow.client.high)) +
                 nh_pair(key, 3, high_half(flow.client.high), 0);
  sums.vip +=
      nh_pair(key, 4, high_half(flow.vip.low), low_half(flow.vip.high)) + nh_pair(key, 5, high_half(flow.vip.high), 0);
  return sums;
}

// The lower half of a request's hash, which says where its record is looked for first: of the client's end alone, so that nat's
// replies know it, too (ADR-0014).
PEN_INLINE u64 first_choice_of(const EndSums& sums) { return scramble(sums.client) >> 32; }

// Of all that is no request.
PEN_INLINE u64 hash_of_whole(const EndSums& sums) { return spread(sums.client + sums.vip); }

PEN_INLINE u64 hash_of(const HashKey& key, const FlowKey& flow) {
  const EndSums sums = nh_of_ends(key, flow);
  if (flow.role != Role::request) return hash_of_whole(sums);
  return scramble(sums.client + sums.vip) >> 32 << 32 | first_choice_of(sums);
}

// Of a key that is known to be a request's.
PEN_INLINE u64 hash_of_request(const HashKey& key, FlowKey flow) {
  flow.role = Role::request;
  return hash_of(key, flow);
}

PEN_INLINE u64 hash_of(const HashKey& key, const ServiceKey& service) {
  const u32 rest = static_cast<u32>(service.protocol) | static_cast<u32>(service.family) << 8;
  return spread(nh_pair(key, 0, static_cast<u32>(service.port), rest) + nh_pair(key, 1, service.mark, 0) +
                nh_pair(key, 4, low_half(service.vip.low), high_half(service.vip.low)) +
                nh_pair(key, 5, low_half(service.vip.high), high_half(service.vip.high)));
}

// Which bit of the VIP filter stands for an address. The families share the filter.
PEN_INLINE u32 vip_filter_bit(const AddressImage& address) {
  const u64 mixed = (address.low ^ address.high * 0x9e3779b97f4a7c15ULL) * 0xff51afd7ed558ccdULL;
  static_assert(vip_filter_bits == 1U << 16);
  return static_cast<u32>(mixed >> 48);
}

}  // namespace penstock
