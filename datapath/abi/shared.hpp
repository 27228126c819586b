// What all CPUs share of the packet path's own memory: one row.
#pragma once

#include "datapath/abi/types.hpp"

namespace penstock {

struct alignas(64) SharedState {
  u64 would_begin;  // packets that would have begun a connection, since drop_packet counts (abi/config.hpp: drop_rate)
  u32 full_until;   // ticks: until then packets of no connection may belong to one that found no free slot
  u32 zero;
  u64 reserved[6];
};
static_assert(sizeof(SharedState) == 64);

}  // namespace penstock
