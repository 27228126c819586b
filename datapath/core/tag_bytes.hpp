// Eight one-byte tags in a 64-bit word, looked at all at once. A set of bytes is a word with the top bit of each member set.
#pragma once

#include "datapath/abi/types.hpp"
#include "datapath/core/inline.hpp"

namespace penstock {

static constexpr u64 each_byte = 0x0101010101010101ULL;
static constexpr u64 each_top_bit = 0x8080808080808080ULL;

// 1-255, from bits that neither choose a bucket of a table below four billion nor are all of the record word's tag.
PEN_INLINE u8 tag_byte_of(u64 hash) {
  const u8 byte = static_cast<u8>(hash >> 56);
  return byte == 0 ? 1 : byte;
}

// The bytes that are 0; a byte of 1 just above one of them may be among them as well, so look before you trust.
PEN_INLINE u64 zero_bytes(u64 bytes) { return (bytes - each_byte) & ~bytes & each_top_bit; }

PEN_INLINE u64 bytes_equal_to(u8 tag, u64 bytes) { return zero_bytes(bytes ^ (tag * each_byte)); }

// Index of the lowest member of a set that isn't empty: its bit, moved to a multiple of 8, picks a byte of the constant.
PEN_INLINE u32 first_byte(u64 set) {
  const u64 lowest = set & (0 - set);
  return static_cast<u32>(((lowest >> 7) * 0x0001020304050607ULL) >> 56) & 7U;
}

PEN_INLINE u64 without_first(u64 set) { return set & (set - 1); }

// The members that come first when counting starts at byte `start`; their index is then (first_byte + start) % 8.
PEN_INLINE u64 set_from(u64 set, u32 start) { return start == 0 ? set : set >> (start * 8) | set << (64 - start * 8); }

PEN_INLINE u32 size_of_set(u64 set) { return static_cast<u32>(((set >> 7) * each_byte) >> 56); }

}  // namespace penstock
