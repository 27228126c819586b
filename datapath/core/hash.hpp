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

PEN_INLINE u32 low_half(u64 word) { return static_cast<u32>(word); }
PEN_INLINE u32 high_half(u64 word) { return static_cast<u32>(word >> 32); }

PEN_INLINE u64 nh_ports(const HashKey& key, u32 ports, u32 rest) { return nh_pair(key, 0, ports, rest); }

PEN_INLINE u32 both(be16 first, be16 second) { return static_cast<u32>(first) | static_cast<u32>(second) << 16; }

// Each word of the message has a key word of its own, whatever the family.
PEN_INLINE u64 hash_of(const HashKey& key, const FlowKey& flow) {
  const u32 rest =
      static_cast<u32>(flow.protocol) | static_cast<u32>(flow.family) << 8 | static_cast<u32>(flow.role) << 16;
  const u64 ports = nh_ports(key, both(flow.client_port, flow.vip_port), rest);
  if (flow.family == Family::ipv4)
    return spread(ports + nh_pair(key, 1, low_half(flow.client.low), low_half(flow.vip.low)));
  return spread(ports + nh_pair(key, 2, low_half(flow.client.low), high_half(flow.client.low)) +
                nh_pair(key, 3, low_half(flow.client.high), high_half(flow.client.high)) +
                nh_pair(key, 4, low_half(flow.vip.low), high_half(flow.vip.low)) +
                nh_pair(key, 5, low_half(flow.vip.high), high_half(flow.vip.high)));
}

PEN_INLINE u64 hash_of(const HashKey& key, const ServiceKey& service) {
  const u32 rest = static_cast<u32>(service.protocol) | static_cast<u32>(service.family) << 8;
  return spread(nh_ports(key, both(service.port, be16{}), rest) + nh_pair(key, 1, service.mark, 0) +
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
