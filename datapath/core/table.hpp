// Penstock's own table: find, claim, publish and end records in two-choice buckets, without locks (ADR-0003).
//
// A key has two buckets of eight records. Beside its records each bucket has one 64-bit word of tags, a byte of the key's hash
// for each record, 0 for a free one: eight records are told apart by one look, and only one that may be the key's is read.
// Records are put near a place that the key chooses, too: who expects a key to be present looks there first, at one cache line.
// A record's own word says everything that changes:
//
//   bits 0-31 expiry in ticks · 32-35 state · 36-37 life · 38 claimed · 39 live · 40-63 tag of the key's hash · 0: a free slot
//
//   claim    compare-and-swap of a free or expired word to a claimed one: the slot is this CPU's, and no reader's
//   publish  after key, contents and tag byte stand, an exchange to the live word
//   update   compare-and-swap of the word that was read with the key: fails if the slot changed hands meanwhile
//   end      claim, account for the record's end, clear the tag byte, exchange to 0
//
// Two CPUs may insert the same key at once. Each looks again after publishing, and the record that stands later on the key's
// path is ended, so that one remains. So is one that is over: to a CPU whose clock is behind it may not be, and live on.
//
// A Table gives bucket(index) and tags(index), pointers or null.
#pragma once

#include "datapath/abi/bucket.hpp"
#include "datapath/abi/connection.hpp"
#include "datapath/abi/service.hpp"
#include "datapath/core/atomic.hpp"
#include "datapath/core/tag_bytes.hpp"

namespace penstock {

static constexpr u64 word_claimed = 1ULL << 38;
static constexpr u64 word_live = 1ULL << 39;
static constexpr u32 word_owner_shift = 38;  // claimed, live and tag: what changes when the slot changes hands
static constexpr u32 word_state_shift = 32;
static constexpr u32 word_tag_shift = 40;
static constexpr u64 word_state_mask = 0xfULL << word_state_shift;
static constexpr u32 word_life_shift = 36;

// Expiry and state within a record's word.
PEN_INLINE u32 expires_of(u64 word) { return static_cast<u32>(word); }
PEN_INLINE u32 state_of(u64 word) { return static_cast<u32>((word & word_state_mask) >> word_state_shift); }
PEN_INLINE bool is_live(u64 word) { return (word & word_live) != 0; }
PEN_INLINE bool is_past(u32 expires, u32 now) { return static_cast<s32>(now - expires) >= 0; }

// Whoever died between claim and publication left this word behind: the sweeper frees claims that are older than a second.
PEN_INLINE u64 claimed_at(u32 now) { return word_claimed | now; }

PEN_INLINE u64 with_state(u64 word, u32 state, u32 expires) {
  return (word & ~(word_state_mask | 0xffffffffULL)) | static_cast<u64>(state) << word_state_shift | expires;
}

// Connections expire; other records stay until they are ended.
PEN_INLINE constexpr bool expires(const Connection*) { return true; }
PEN_INLINE constexpr bool expires(const Service*) { return false; }

// Of a live record.
template <typename Record>
PEN_INLINE bool has_expired(const Record* record, u64 word, u32 now) {
  return expires(record) && is_past(expires_of(word), now);
}

template <typename Record>
PEN_INLINE bool is_over(const Record* record, u64 word, u32 now) {
  return is_live(word) && has_expired(record, word, now);
}

// What stays the same in a record's word for as long as the record lives.
PEN_INLINE u32 owner_of(u64 word) { return static_cast<u32>(word >> word_life_shift); }

// Tells two lives of one flow apart that began within a tick in the same slot: otherwise an update that was meant for the first
// would succeed on the second, and be booked on the wrong server. Servers are picked in turns, so their low bits do.
PEN_INLINE constexpr u64 life_of(const Connection& record) {
  return static_cast<u64>(record.server & 3U) << word_life_shift;
}
PEN_INLINE constexpr u64 life_of(const Service&) { return 0; }

// Where a key's record may stand.
struct Place {
  u32 bucket[2];
  u32 start;  // index in the bucket to be near to
  u64 live;   // the record's word but for state and expiry
};

// The record's byte in the bucket's tags, never 0.
PEN_INLINE u8 tag_of(const Place& place) { return tag_byte_of(place.live); }

// `buckets` is a power of two, at least 2.
PEN_INLINE Place place_of(u64 hash, u32 buckets) {
  const u32 mask = buckets - 1;
  const u32 first = static_cast<u32>(hash) & mask;
  const u32 second = (first ^ (static_cast<u32>(hash >> 32) | 1U)) & mask;  // never the first
  const u64 tag = hash >> word_tag_shift << word_tag_shift;
  return {.bucket = {first, second},
          .start = static_cast<u32>(hash >> 29) & (records_per_bucket - 1),
          .live = tag | word_live};
}

// A key is a whole number of 64-bit words without padding. Compared word by word, as the record may be changing hands.
template <typename Key>
PEN_INLINE bool same_key(const Key& stored, const Key& wanted) {
  static_assert(sizeof(Key) % sizeof(u64) == 0);
  const u64* a = reinterpret_cast<const u64*>(&stored);
  const u64* b = reinterpret_cast<const u64*>(&wanted);
  for (u32 i = 0; i < sizeof(Key) / sizeof(u64); ++i)
    if (load_acquire(&a[i]) != b[i]) return false;
  return true;
}

// Whether a record is the wanted one. Overloaded for what is wanted by another name than its key.
template <typename Record, typename Key>
PEN_INLINE bool has_key(const Record& record, const Key& wanted) {
  return same_key(record.key, wanted);
}

template <typename Record>
struct Found {
  Record* record;  // null: no such record
  u64 word;        // as it stood when the key was compared
  u32 bucket;
  u32 index;
};

// Whether the record is still the one whose word was read: asked after its key was compared and its contents were copied.
template <typename Record>
PEN_INLINE bool still_holds(const Found<Record>& found) {
  return (load_acquire(&found.record->word) ^ found.word) >> word_owner_shift == 0;
}

// A record that expired at `now` is not there.
template <typename Record, typename Table, typename Key>
PEN_INLINE Found<Record> find_in_bucket(Table table, u32 index, const Place& place, const Key& key, u32 now) {
  const u64* tags = table.tags(index);
  Bucket<Record>* bucket = table.bucket(index);
  if (!tags || !bucket) return {};
  u64 candidates = bytes_equal_to(tag_of(place), load_acquire(tags));
  PEN_ROLLED
  for (u32 i = 0; i < records_per_bucket && candidates != 0; ++i) {
    const u32 slot = first_byte(candidates);
    candidates = without_first(candidates);
    Record* record = &bucket->records[slot];
    const u64 word = load_acquire(&record->word);
    if ((word ^ place.live) >> word_owner_shift != 0) continue;
    if (!has_key(*record, key)) continue;
    if (has_expired(record, word, now)) continue;
    return {record, word, index, slot};
  }
  return {};
}

// How many records from the place to start from are looked at before the tags. They hold 98 of 100
// keys at a quarter of the load, 80 at half load (core/table_test.cpp).
static constexpr u32 records_near_start = 4;

// Whether a record is among those, by its bucket and index.
PEN_INLINE bool is_near_start(const Place& place, u32 bucket, u32 index) {
  return bucket == place.bucket[0] && ((index - place.start) & (records_per_bucket - 1)) < records_near_start;
}

template <typename Record, typename Table, typename Key>
PEN_INLINE Found<Record> find_near_start(Table table, const Place& place, const Key& key, u32 now) {
  Bucket<Record>* bucket = table.bucket(place.bucket[0]);
  if (!bucket) return {};
  PEN_ROLLED
  for (u32 i = 0; i < records_near_start; ++i) {
    const u32 slot = (place.start + i) & (records_per_bucket - 1);
    Record* record = &bucket->records[slot];
    const u64 word = load_acquire(&record->word);
    if ((word ^ place.live) >> word_owner_shift != 0) continue;
    if (!has_key(*record, key)) continue;
    if (has_expired(record, word, now)) continue;
    return {record, word, place.bucket[0], slot};
  }
  return {};
}

// Whether a key is probably in the table: only the way there differs, never the answer.
enum class Guess : u8 { absent, present };

template <typename Record, typename Table, typename Key>
PEN_INLINE Found<Record> find_record(Table table, const Place& place, const Key& key, u32 now, Guess guess) {
  if (guess == Guess::present) {
    const Found<Record> near = find_near_start<Record>(table, place, key, now);
    if (near.record) return near;
  }
  const Found<Record> found = find_in_bucket<Record>(table, place.bucket[0], place, key, now);
  if (found.record) return found;
  return find_in_bucket<Record>(table, place.bucket[1], place, key, now);
}

}  // namespace penstock
