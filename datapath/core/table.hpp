// Penstock's own table: find, claim, publish and free records in two-choice buckets, without locks (ADR-0003).
//
// A key has two buckets of eight records and a place in each to start from. Its record stands in the first bucket unless that
// was nearly full, usually at the place to start from: one cache line read. The record's word says everything that changes:
//
//   bits 0-31 expiry in ticks · 32-37 state · 38 claimed · 39 live · 40-63 tag of the key's hash · 0: a free slot
//
//   claim    compare-and-swap of a free or expired word to a claimed one: the slot is this CPU's, and no reader's
//   publish  after key and contents stand, an exchange to the live word
//   update   compare-and-swap of the word that was read with the key: fails if the slot changed hands meanwhile
//   end      claim, account for the record's end, exchange to 0
//
// Two CPUs may insert the same key at once. Each looks again after publishing, and the record that stands later on the key's
// path is freed, so that one remains.
#pragma once

#include "datapath/abi/bucket.hpp"
#include "datapath/abi/connection.hpp"
#include "datapath/abi/service.hpp"
#include "datapath/core/atomic.hpp"

namespace penstock {

static constexpr u64 word_claimed = 1ULL << 38;
static constexpr u64 word_live = 1ULL << 39;
static constexpr u32 word_state_shift = 32;
static constexpr u32 word_tag_shift = 40;
static constexpr u64 word_state_mask = 0x3fULL << word_state_shift;

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

// Connections expire; other records stay until they are freed.
PEN_INLINE constexpr bool expires(const Connection*) { return true; }
PEN_INLINE constexpr bool expires(const Service*) { return false; }

template <typename Record>
PEN_INLINE bool is_over(const Record* record, u64 word, u32 now) {
  return expires(record) && is_live(word) && is_past(expires_of(word), now);
}

// 1 for a record that may be claimed, else 0. Without branches, or the verifier would walk two paths for each record.
template <typename Record>
PEN_INLINE u32 vacancy(const Record* record, u64 word, u32 now) {
  const u64 free = ((word | (0 - word)) >> 63) ^ 1;
  const u64 past = ((now - expires_of(word)) >> 31) ^ 1U;
  const u64 over = expires(record) ? past & (word >> 39) : 0;
  return static_cast<u32>((free | over) & 1);
}

// Where a key's record may stand.
struct Place {
  u32 bucket[2];
  u32 start;  // index in the bucket to start from
  u64 live;   // the record's word but for state and expiry
};

// `buckets` is a power of two, at least 2.
PEN_INLINE Place place_of(u64 hash, u32 buckets) {
  const u32 mask = buckets - 1;
  const u32 first = static_cast<u32>(hash) & mask;
  const u32 second = (first ^ (static_cast<u32>(hash >> 32) | 1U)) & mask;  // never the first
  const u64 tag = hash >> word_tag_shift << word_tag_shift;
  return {.bucket = {first, second}, .start = static_cast<u32>(hash >> 29) & 7U, .live = tag | word_live};
}

// A key is a whole number of 64-bit words without padding. Compared word by word, as the record may be changing hands.
template <typename Key>
PEN_INLINE bool same_key(const Key& stored, const Key& wanted) {
  static_assert(sizeof(Key) % sizeof(u64) == 0);
  const u64* a = reinterpret_cast<const u64*>(&stored);
  const u64* b = reinterpret_cast<const u64*>(&wanted);
  u64 difference = 0;
  for (u32 i = 0; i < sizeof(Key) / sizeof(u64); ++i) difference |= load_acquire(&a[i]) ^ b[i];
  return difference == 0;
}

// Copies whole words into a claimed record that readers may still be comparing.
template <typename T>
PEN_INLINE void store_words(T* to, const T& from) {
  static_assert(sizeof(T) % sizeof(u64) == 0);
  u64* target = reinterpret_cast<u64*>(to);
  const u64* source = reinterpret_cast<const u64*>(&from);
  for (u32 i = 0; i < sizeof(T) / sizeof(u64); ++i) store_release(&target[i], source[i]);
}

template <typename Record>
struct Found {
  Record* record;  // null: no such record
  u64 word;        // as it stood when the key was compared
};

// Whether the record is still the one whose word was read: asked after its key was compared and its contents were copied.
template <typename Record>
PEN_INLINE bool still_holds(const Found<Record>& found) {
  return (load_acquire(&found.record->word) ^ found.word) >> 38 == 0;
}

// `bucket_at(index)` gives a bucket or null. A record that expired at `now` is not there.
template <typename Record, typename BucketAt, typename Key>
PEN_INLINE Found<Record> find_in_bucket(BucketAt bucket_at, u32 index, const Place& place, const Key& key, u32 now) {
  Bucket<Record>* bucket = bucket_at(index);
  if (!bucket) return {nullptr, 0};
  for (u32 i = 0; i < records_per_bucket; ++i) {
    Record* record = &bucket->records[(place.start + i) & (records_per_bucket - 1)];
    const u64 word = load_acquire(&record->word);
    if ((word ^ place.live) >> 38 != 0) continue;  // free, claimed or another tag
    if (!same_key(record->key, key)) continue;
    if (is_over(record, word, now)) continue;
    return {record, word};
  }
  return {nullptr, 0};
}

template <typename Record, typename BucketAt, typename Key>
PEN_INLINE Found<Record> find_record(BucketAt bucket_at, const Place& place, const Key& key, u32 now) {
  const Found<Record> found = find_in_bucket<Record>(bucket_at, place.bucket[0], place, key, now);
  if (found.record) return found;
  return find_in_bucket<Record>(bucket_at, place.bucket[1], place, key, now);
}

}  // namespace penstock
