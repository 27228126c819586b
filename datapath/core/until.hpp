// Times until which something is so, in words that all CPUs share (abi/shared.hpp): one look at such a word spares a packet the look-ups
// for what isn't.
#pragma once

#include "datapath/core/atomic.hpp"
#include "datapath/core/table.hpp"

namespace penstock {

static constexpr u64 until_is_set = 1ULL << 32;  // below: ticks

PEN_INLINE bool has_time(u64 until) { return (until & until_is_set) != 0; }

PEN_INLINE bool holds(u64 until, u32 now) { return has_time(until) && !is_past(static_cast<u32>(until), now); }

// At least until then: whoever said a later time keeps it.
PEN_INLINE void hold_until(u64* until, u32 ticks) {
  if (!holds(load_acquire(until), ticks)) store_release(until, until_is_set | ticks);
}

// Ticks go round: what is past would hold again after 2^31 of them.
PEN_INLINE void forget_past(u64* until, u32 now) {
  const u64 word = load_acquire(until);
  if (has_time(word) && !holds(word, now)) compare_exchange(until, word, 0);
}

}  // namespace penstock
