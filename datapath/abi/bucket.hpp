// The shape of Penstock's own tables (ADR-0003): an array of buckets of eight 64-byte records. Each record begins with one
// 64-bit word that says who owns the slot; 0 is a free slot. See datapath/core/table.hpp for the protocol.
#pragma once

#include "datapath/abi/types.hpp"

namespace penstock {

static constexpr u32 records_per_bucket = 8;

template <typename Record>
struct alignas(64) Bucket {
  Record records[records_per_bucket];
  static_assert(sizeof(Record) == 64, "one cache line a record");
};

}  // namespace penstock
