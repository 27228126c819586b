// The Internet checksum (RFC 1071), incremental (RFC 1624) and whole. Values are as they stand in the header.
#pragma once

#include "datapath/core/header.hpp"
#include "datapath/core/wire.hpp"

namespace penstock {

PEN_INLINE u16 fold(u64 sum) {
  sum = (sum & 0xffffffffULL) + (sum >> 32);
  sum = (sum & 0xffffffffULL) + (sum >> 32);
  sum = (sum & 0xffff) + (sum >> 16);
  sum = (sum & 0xffff) + (sum >> 16);
  return static_cast<u16>(sum);
}

// The checksum of a header in which one 16-bit word changes from `before` to `after` (RFC 1624, equation 3).
PEN_INLINE u16 updated_checksum(u16 checksum, u16 before, u16 after) {
  const u64 sum = static_cast<u64>(static_cast<u16>(~checksum)) + static_cast<u16>(~before) + after;
  return static_cast<u16>(~fold(sum));
}

static constexpr u32 ipv4_header_words_max = 15;

// Whether the IPv4 header of `words` 32-bit words has the checksum that it should.
template <Platform P>
PEN_INLINE bool is_ipv4_header_intact(const P& p, u32 words) {
  u64 sum = 0;
  PEN_ROLLED
  for (u32 i = 0; i < ipv4_header_words_max && i < words; ++i) {
    const u32* word = header_at<u32>(p, network_offset + i * 4);
    if (!word) return false;
    sum += *word;
  }
  return fold(sum) == 0xffff;
}

// The sum, not folded, of the frame's last `length` bytes, which begin at `offset`: the IP header's offset plus a multiple of
// four, so that words are aligned where that matters. At most 1280, an IPv6 minimum MTU, as nothing longer is summed here.
static constexpr u32 sum_length_max = 1280;

template <Platform P>
PEN_INLINE u64 sum_of_tail(const P& p, u32 offset, u32 length) {
  u64 sum = 0;
  PEN_ROLLED
  for (u32 i = 0; i < sum_length_max / 4; ++i) {
    const u32* word = header_at<u32>(p, offset + i * 4);
    if (!word) break;
    sum += *word;
  }
  const u32 rest = offset + (length & 0x7fcU);  // where the last, incomplete word begins
  if (length & 2) {
    const u16* half = header_at<u16>(p, rest);
    if (half) sum += *half;
  }
  if (length & 1) {
    const u8* last = header_at<u8>(p, rest + (length & 2));
    if (last) sum += *last;
  }
  return sum;
}

}  // namespace penstock
