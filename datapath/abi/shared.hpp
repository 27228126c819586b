// What all CPUs share of the packet path's own memory: one row.
#pragma once

#include "datapath/abi/types.hpp"

namespace penstock {

struct alignas(64) SharedState {
  u64 would_begin;  // packets that would have begun a connection, since drop_packet counts (abi/config.hpp: drop_rate)
  u64 full_until;   // core/until.hpp: packets of no connection may belong to one that found no free slot
  u64 expected_until;  // core/until.hpp: there may be connections whose client's port is not known yet (FTP)
  u64 reserved[5];
};
static_assert(sizeof(SharedState) == 64);

}  // namespace penstock
