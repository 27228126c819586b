// The slow half of the table: inserting and freeing records (the protocol is in table.hpp).
#pragma once

#include "datapath/core/table.hpp"

namespace penstock {

// What an insertion may do when both buckets of the key are full.
enum class WhenFull { refuse, evict_oldest };

// A bit for each vacant record of a bucket, by its distance from the place to start from.
template <typename Record>
PEN_INLINE u32 vacancies(const Bucket<Record>* bucket, u32 start, u32 now) {
  u32 found = 0;
  PEN_ROLLED
  for (u32 i = 0; i < records_per_bucket; ++i) {
    const Record* record = &bucket->records[(start + i) & (records_per_bucket - 1)];
    found |= vacancy(record, load_acquire(&record->word), now) << i;
  }
  return found;
}

// The bit of the record that expires first. Claimed records are left alone.
template <typename Record>
PEN_INLINE u32 oldest(const Bucket<Record>* bucket, u32 start, u32 now) {
  u32 bit = 0;
  u32 shortest = ~0U;
  PEN_ROLLED
  for (u32 i = 0; i < records_per_bucket; ++i) {
    const u64 word = load_acquire(&bucket->records[(start + i) & (records_per_bucket - 1)].word);
    const u32 left = is_live(word) ? expires_of(word) - now : ~0U;
    bit = left < shortest ? 1U << i : bit;
    shortest = left < shortest ? left : shortest;
  }
  return bit;
}

// Records go to the first bucket while it has more than this many vacancies, then to the emptier one: few look-ups need a
// second bucket, and a full pair stays rarer than one in a million at half load (core/table_test.cpp shows both).
static constexpr u32 vacancies_kept = 2;

PEN_INLINE u32 choose_bucket(u32 first_vacancies, u32 second_vacancies) {
  const u32 first = static_cast<u32>(__builtin_popcount(first_vacancies));
  const u32 second = static_cast<u32>(__builtin_popcount(second_vacancies));
  return first > vacancies_kept || first >= second ? 0 : 1;
}

template <typename Record>
struct Claimed {
  Record* record;  // null: another CPU was faster, or there is no vacancy
  u64 before;      // the word that the claim replaced; 0: the slot was free
};

// Claims the first of the records in `candidates` (bits by distance from the start) that is still vacant or, to evict, live.
template <typename Record>
PEN_INLINE Claimed<Record> claim(Bucket<Record>* bucket, const Place& place, u32 candidates, u32 now, bool evict) {
  PEN_ROLLED
  for (u32 i = 0; i < records_per_bucket; ++i) {
    if ((candidates >> i & 1) == 0) continue;
    Record* record = &bucket->records[(place.start + i) & (records_per_bucket - 1)];
    const u64 before = load_acquire(&record->word);
    if (!vacancy(record, before, now) && !(evict && is_live(before))) continue;
    if (!compare_exchange(&record->word, before, claimed_at(now))) continue;
    return {record, before};
  }
  return {nullptr, 0};
}

// Ends a record whose word was `word`: claims it, tells `on_end(record, word)` while the contents still stand, frees the slot.
// False: the record changed meanwhile, and is not this caller's to end.
template <typename Record, typename OnEnd>
PEN_INLINE bool end_record(Record* record, u64 word, u32 now, OnEnd on_end) {
  if (!compare_exchange(&record->word, word, claimed_at(now))) return false;
  on_end(*record, word);
  exchange(&record->word, 0);
  return true;
}

// Of several records of one key the first on the key's path stays, the others are ended. Returns the one that stays.
template <typename Record, typename BucketAt, typename Key, typename OnEnd>
PEN_INLINE Found<Record> settle(BucketAt bucket_at, const Place& place, const Key& key, u32 now, OnEnd on_end) {
  Found<Record> first{nullptr, 0};
  PEN_ROLLED
  for (u32 which = 0; which < 2; ++which) {
    Bucket<Record>* bucket = bucket_at(place.bucket[which]);
    if (!bucket) return first;
    PEN_ROLLED
    for (u32 i = 0; i < records_per_bucket; ++i) {
      Record* record = &bucket->records[(place.start + i) & (records_per_bucket - 1)];
      const u64 word = load_acquire(&record->word);
      if ((word ^ place.live) >> 38 != 0 || is_over(record, word, now)) continue;
      if (!same_key(record->key, key)) continue;
      if (first.record) {
        end_record(record, word, now, on_end);
      } else {
        first = {record, word};
      }
    }
  }
  return first;
}

template <typename Record>
struct Inserted {
  bool stored;          // false: both buckets are full (or, with bad luck, contended)
  Found<Record> stays;  // the key's record after all; null if another CPU ended it meanwhile
};

// Inserts `content` with the given state and expiry. `on_end(record, word)` is called for each record that ends by it: one that
// had expired, was evicted, or lost to an equal key.
template <typename Record, typename BucketAt, typename OnEnd>
PEN_INLINE Inserted<Record> insert_record(BucketAt bucket_at, const Place& place, const Record& content, u32 state, u32 expiry,
                                       u32 now, WhenFull when_full, OnEnd on_end) {
  Bucket<Record>* first = bucket_at(place.bucket[0]);
  Bucket<Record>* second = bucket_at(place.bucket[1]);
  if (!first || !second) return {};
  const u32 first_vacancies = vacancies(first, place.start, now);
  const u32 second_vacancies = vacancies(second, place.start, now);
  const u32 chosen = choose_bucket(first_vacancies, second_vacancies);
  u32 candidates = chosen == 0 ? first_vacancies : second_vacancies;
  const bool evict = candidates == 0 && when_full == WhenFull::evict_oldest;
  if (evict) candidates = oldest(first, place.start, now);

  Bucket<Record>* bucket = chosen == 0 ? first : second;
  const Claimed<Record> slot = claim(bucket, place, candidates, now, evict);
  if (!slot.record) return {};
  if (slot.before != 0) on_end(*slot.record, slot.before);

  u64* target = reinterpret_cast<u64*>(slot.record);
  const u64* source = reinterpret_cast<const u64*>(&content);
  for (u32 i = 1; i < sizeof(Record) / sizeof(u64); ++i) store_release(&target[i], source[i]);
  exchange(&slot.record->word, with_state(place.live, state, expiry));
  return {true, settle<Record>(bucket_at, place, content.key, now, on_end)};
}

}  // namespace penstock
