// Where an insertion into the table may find a slot.
#pragma once

#include "datapath/abi/types.hpp"

namespace penstock {

struct Room {
  u64 slots;    // of one bucket, as a set of bytes (core/tag_bytes.hpp); empty: nowhere
  u32 which;    // of the key's two buckets
  bool evicts;  // live records stand in them, and give way
  u8 zero[3];
};

}  // namespace penstock
