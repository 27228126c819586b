// Hashes of the packet path. SipHash-1-3 (Aumasson, Bernstein) places records in the tables: its key is a boot secret, so that
// nobody outside can aim at one bucket. The VIP filter needs no secret: a collision there only costs time.
#pragma once

#include "datapath/abi/config.hpp"
#include "datapath/abi/service.hpp"
#include "datapath/core/inline.hpp"

namespace penstock {

struct SipState {
  u64 v0, v1, v2, v3;
};

PEN_INLINE u64 rotate_left(u64 value, u32 bits) { return (value << bits) | (value >> (64 - bits)); }

PEN_INLINE void sip_round(SipState& s) {
  s.v0 += s.v1;
  s.v2 += s.v3;
  s.v1 = rotate_left(s.v1, 13) ^ s.v0;
  s.v3 = rotate_left(s.v3, 16) ^ s.v2;
  s.v0 = rotate_left(s.v0, 32);
  s.v2 += s.v1;
  s.v0 += s.v3;
  s.v1 = rotate_left(s.v1, 17) ^ s.v2;
  s.v3 = rotate_left(s.v3, 21) ^ s.v0;
  s.v2 = rotate_left(s.v2, 32);
}

PEN_INLINE SipState sip_begin(const u64 (&key)[2]) {
  return {key[0] ^ 0x736f6d6570736575ULL, key[1] ^ 0x646f72616e646f6dULL, key[0] ^ 0x6c7967656e657261ULL,
          key[1] ^ 0x7465646279746573ULL};
}

PEN_INLINE void sip_word(SipState& s, u64 word) {
  s.v3 ^= word;
  sip_round(s);
  s.v0 ^= word;
}

// `bytes`: length of the message, whose words were all complete.
PEN_INLINE u64 sip_end(SipState& s, u64 bytes) {
  sip_word(s, bytes << 56);
  s.v2 ^= 0xff;
  sip_round(s);
  sip_round(s);
  sip_round(s);
  return s.v0 ^ s.v1 ^ s.v2 ^ s.v3;
}

PEN_INLINE u64 words_of_ports(be16 first, be16 second, u8 protocol, Family family) {
  return static_cast<u64>(first) | static_cast<u64>(second) << 16 | static_cast<u64>(protocol) << 32 |
         static_cast<u64>(family) << 40;
}

// IPv4 takes two words, IPv6 five.
PEN_INLINE u64 hash_of(const u64 (&secret)[2], const FlowKey& key) {
  SipState s = sip_begin(secret);
  const u64 ports = words_of_ports(key.client_port, key.vip_port, key.protocol, key.family);
  if (key.family == Family::ipv4) {
    sip_word(s, key.client.low << 32 | key.vip.low);
    sip_word(s, ports);
    return sip_end(s, 16);
  }
  sip_word(s, key.client.low);
  sip_word(s, key.client.high);
  sip_word(s, key.vip.low);
  sip_word(s, key.vip.high);
  sip_word(s, ports);
  return sip_end(s, 40);
}

PEN_INLINE u64 hash_of(const u64 (&secret)[2], const ServiceKey& key) {
  SipState s = sip_begin(secret);
  sip_word(s, key.vip.low);
  sip_word(s, key.vip.high);
  sip_word(s, words_of_ports(key.port, be16{}, key.protocol, key.family));
  return sip_end(s, 24);
}

// Which bit of the VIP filter stands for an address. The families share the filter.
PEN_INLINE u32 vip_filter_bit(const AddressImage& address) {
  const u64 mixed = (address.low ^ address.high * 0x9e3779b97f4a7c15ULL) * 0xff51afd7ed558ccdULL;
  static_assert(vip_filter_bits == 1U << 16);
  return static_cast<u32>(mixed >> 48);
}

}  // namespace penstock
