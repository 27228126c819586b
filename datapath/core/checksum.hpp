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

// The same for any change, a sum of ~before + after.
PEN_INLINE u16 changed_checksum(u16 checksum, u64 change) {
  return static_cast<u16>(~fold(static_cast<u64>(static_cast<u16>(~checksum)) + change));
}

// A transport checksum that is complete.
PEN_INLINE u16 changed_checksum(u16 checksum, const ChecksumChange& change) {
  const u16 changed = changed_checksum(checksum, change.pseudo_header + change.rest);
  return change.zero_is_none && changed == 0 ? u16{0xffff} : changed;
}

static constexpr u32 ipv4_header_words_max = 15;

// Whether the IPv4 header has the checksum that it should.
template <Platform P>
PEN_INLINE bool is_ipv4_header_intact(const P& p) {
  const auto* ip = header_at<Ipv4Header>(p, network_offset);
  if (!ip) return false;
  const u32 words = ip->version_and_words & 0x0fU;
  u64 sum = 0;
  PEN_ROLLED
  for (u32 i = 0; i < ipv4_header_words_max && i < words; ++i) {
    const u32* word = header_at<u32>(p, network_offset + i * 4);
    if (!word) return false;
    sum += *word;
  }
  return fold(sum) == 0xffff;
}

// Frames that are longer than this are not summed: larger than any Ethernet's.
static constexpr u32 sum_length_max = 9216;

// What is summed in one turn.
static constexpr u32 summed_words = 8;
struct SummedWords {
  u32 words[summed_words];
};

// A step: the sum, folded, of work.summed. It begins a multiple of four behind the IP header's beginning, so that words are
// aligned where that matters.
template <Platform P>
PEN_INLINE u32 sum(P& p, Work& work) {
  const u32 begin = (work.summed.begin & 0x3ffcU) | network_offset % 4;
  const u32 length = work.summed.length;
  if (!p.reach(begin + length)) return 0;
  u64 total = 0;
  PEN_ROLLED
  for (u32 i = 0; i < sum_length_max / sizeof(SummedWords) && i < length / sizeof(SummedWords); ++i) {
    const auto* words = header_at<SummedWords>(p, begin + i * static_cast<u32>(sizeof(SummedWords)));
    if (!words) break;
    for (const u32 word : words->words) total += word;
  }
  const u32 summed = length & 0x3fe0U;
  PEN_ROLLED
  for (u32 i = 0; i < summed_words && i < length % sizeof(SummedWords) / 4; ++i) {
    const u32* word = header_at<u32>(p, begin + summed + i * 4);
    if (word) total += *word;
  }
  const u32 rest = begin + (length & 0x3ffcU);  // where the last, incomplete word begins
  if (length & 2) {
    const u16* half = header_at<u16>(p, rest);
    if (half) total += *half;
  }
  if (length & 1) {
    const u8* last = header_at<u8>(p, rest + (length & 2));
    if (last) total += *last;
  }
  return fold(total);
}

template <Platform P>
PEN_INLINE u64 sum_of(P& p, Work& work, u32 begin, u32 length) {
  work.summed = {.begin = begin, .length = length};
  return p.run_sum(work);
}

PEN_INLINE u64 sum_of_address(const AddressImage& address) {
  return (address.low & 0xffffffff) + (address.low >> 32) + (address.high & 0xffffffff) + (address.high >> 32);
}

// The pseudo header: addresses, length, next header (RFC 9293 §3.1, RFC 8200 §8.1); the same sum for both families.
PEN_INLINE u64 sum_of_pseudo_header(const AddressImage& source, const AddressImage& destination, u8 protocol,
                                    u32 length) {
  return sum_of_address(source) + sum_of_address(destination) + static_cast<u16>(big(u16{protocol})) +
         static_cast<u16>(big(static_cast<u16>(length)));
}

}  // namespace penstock
