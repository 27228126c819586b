// Fetching a line of the table before it is needed. An insertion waits longest for the record that it claims, which is in no cache;
// while that comes, the packet's service and server are found.
#pragma once

#include "datapath/core/table_insert.hpp"

namespace penstock {

// BPF has no prefetch: a load whose value nobody wants does, for as long as the processor's window of instructions reaches.
PEN_INLINE void fetch(const u64* word) {
#ifdef __bpf__
  const u64 unwanted = load_acquire(word);
  asm volatile("" ::"r"(unwanted));
#else
  __builtin_prefetch(word, 1);
#endif
}

// The record that the insertion of a key which has none would take now.
template <typename Record, typename Table>
PEN_INLINE void fetch_vacancy(Table table, const Place& place) {
  const Room room = vacant_room(table, place);
  const Bucket<Record>* bucket = table.bucket(room.which == 0 ? place.bucket[0] : place.bucket[1]);
  if (!bucket) return;
  const u32 slot = (first_byte(set_from(room.slots, place.start)) + place.start) & (records_per_bucket - 1);
  fetch(&bucket->records[slot].word);
}

}  // namespace penstock
