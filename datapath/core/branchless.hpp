// Comparisons as numbers, 1 or 0, computed without a branch. BPF has no instruction for them, so the compiler makes a branch of
// `a < b`, and in a loop the verifier then follows two paths for each turn (ADR-0004). Off the hot path only: natively, and for
// values that are used once, the plain comparison is better.
#pragma once

#include "datapath/abi/types.hpp"
#include "datapath/core/inline.hpp"

namespace penstock {

// Both below 2^63.
PEN_INLINE u64 one_if_less(u64 a, u64 b) {
  PEN_FORGET(a);  // else the compiler sees what the subtraction is for
  return (a - b) >> 63;
}

PEN_INLINE u64 one_if_equal(u32 a, u32 b) { return one_if_less(a ^ b, 1); }

}  // namespace penstock
