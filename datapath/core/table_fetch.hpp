// Fetching a line of the table before it is needed. An insertion waits longest for the record that it claims, which is in no cache;
// while that comes, the packet's service and server are found.
#pragma once

#include "datapath/core/connection.hpp"

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

// The record that an insertion takes when it can. Asked for before the tags say whether: both come at once then.
template <Platform P>
PEN_INLINE void fetch_first_choice(P& p, u64 hash) {
  const Place place = place_of(hash, p.config().connection_buckets);
  if (const ConnectionBucket* bucket = p.connection_bucket(place.bucket[0])) fetch(&bucket->records[place.start].word);
}

// The record that the insertion of a key which has none would take now.
template <Platform P>
PEN_INLINE void fetch_vacancy(P& p, u64 hash) {
  const Place place = place_of(hash, p.config().connection_buckets);
  const Room room = vacant_room(ConnectionTable<P>{p}, place);
  const ConnectionBucket* bucket = p.connection_bucket(room.which == 0 ? place.bucket[0] : place.bucket[1]);
  if (!bucket) return;
  const u32 slot = (first_byte(set_from(room.slots, place.start)) + place.start) & (records_per_bucket - 1);
  fetch(&bucket->records[slot].word);
}

}  // namespace penstock
