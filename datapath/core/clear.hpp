// Zeroing part of a record in whole words.
#pragma once

#include "datapath/abi/types.hpp"
#include "datapath/core/inline.hpp"

namespace penstock {

// From offset `begin` to `end`, multiples of eight, of an object that is aligned so.
template <u32 begin, u32 end, typename T>
PEN_INLINE void clear_words(T& object) {
  static_assert(begin % sizeof(u64) == 0 && end % sizeof(u64) == 0 && end <= sizeof(T) &&
                alignof(T) % sizeof(u64) == 0);
#ifdef __bpf__
  // One store a word, at a constant offset: with memset the compiler keeps pointers into the middle, and registers are few.
  for (u32 offset = begin; offset < end; offset += sizeof(u64))
    *reinterpret_cast<volatile u64*>(reinterpret_cast<u8*>(&object) + offset) = 0;
#else
  __builtin_memset(reinterpret_cast<u8*>(&object) + begin, 0, end - begin);
#endif
}

}  // namespace penstock
