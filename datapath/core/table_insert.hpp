// The slow half of the table: inserting and ending records (the protocol is in table.hpp).
#pragma once

#include "datapath/core/room.hpp"
#include "datapath/core/states.hpp"
#include "datapath/core/table.hpp"

namespace penstock {

// What an insertion may do when both buckets of the key are full.
enum class WhenFull { refuse, evict };

// Which records give way to others: connections whose handshake is not complete, and what is known of fragments. 1 or 0.
PEN_INLINE u64 gives_way(const Connection* record, u64 word) {
  const u64 half_open = half_open_states_of(load_acquire(&record->key.protocol)) >> state_of(word) & 1U;
  const u32 role = static_cast<u32>(load_acquire(&record->key.role));
  return (one_if_equal(role, static_cast<u32>(Role::request)) & half_open) |
         one_if_equal(role, static_cast<u32>(Role::fragment));
}
PEN_INLINE u64 gives_way(const Service*, u64) { return 0; }

PEN_INLINE void set_tag(u64* tags, u32 slot, u8 tag) {
  store_release(reinterpret_cast<u8*>(tags) + (slot & (records_per_bucket - 1)), tag);
}

// The records of a full bucket that have expired, as a set of bytes. Without branches, or the verifier would walk two paths
// for each record.
template <typename Record>
PEN_INLINE u64 expired_records(const Bucket<Record>* bucket, u32 now) {
  u64 expired = 0;
  PEN_ROLLED
  for (u32 i = 0; i < records_per_bucket; ++i) {
    const Record* record = &bucket->records[i];
    const u64 word = load_acquire(&record->word);
    const u64 past = ((now - expires_of(word)) >> 31) ^ 1U;
    const u64 over = expires(record) ? past & (word >> 39) & 1U : 0;
    expired |= over << (i * 8 + 7);
  }
  return expired;
}

// Of the records that give way the one that expires first, as a set of bytes. Claimed records are left alone.
template <typename Record>
PEN_INLINE u64 oldest_to_give_way(const Bucket<Record>* bucket, u32 now) {
  u64 first = ~0ULL >> 1;  // ticks left, and in the lowest bits which record's they are
  PEN_ROLLED
  for (u32 i = 0; i < records_per_bucket; ++i) {
    const Record* record = &bucket->records[i];
    const u64 word = load_acquire(&record->word);
    const u64 stays = ~gives_way(record, word) | ~(word >> 39);
    const u64 left = (stays & 1) << 32 | (expires_of(word) - now);
    const u64 numbered = left * records_per_bucket + i;
    first ^= (first ^ numbered) & (0 - one_if_less(numbered, first));
  }
  const u64 none = first / records_per_bucket >> 32;
  return ((none & 1) ^ 1) << (first % records_per_bucket * 8 + 7);
}

// Records go to the first bucket while it has more than this many vacancies, then to the emptier one: few look-ups need a
// second bucket, and a full pair stays rarer than one in a million at half load (core/table_test.cpp shows both).
static constexpr u32 vacancies_kept = 2;

PEN_INLINE u32 choose_bucket(u64 first_vacant, u64 second_vacant) {
  const u32 first = size_of_set(first_vacant);
  const u32 second = size_of_set(second_vacant);
  return first > vacancies_kept || first >= second ? 0 : 1;
}

// Free slots.
template <typename Table>
PEN_INLINE Room vacant_room(Table table, const Place& place) {
  const u64* first = table.tags(place.bucket[0]);
  const u64* second = table.tags(place.bucket[1]);
  if (!first || !second) return {};
  const u64 first_vacant = zero_bytes(load_acquire(first));
  const u64 second_vacant = zero_bytes(load_acquire(second));
  const u32 which = choose_bucket(first_vacant, second_vacant);
  return {.slots = which == 0 ? first_vacant : second_vacant, .which = which, .evicts = false, .zero = {}};
}

// Where both buckets are full: the slots of records that have expired and were not swept yet, else, where that is allowed, of one
// that gives way.
template <typename Record, typename Table>
PEN_INLINE Room crowded_room(Table table, const Place& place, u32 now, WhenFull when_full) {
  const Bucket<Record>* first = table.bucket(place.bucket[0]);
  const Bucket<Record>* second = table.bucket(place.bucket[1]);
  if (!first || !second) return {};
  Room room{};
  room.slots = expired_records(first, now);
  if (room.slots != 0) return room;
  room.which = 1;
  room.slots = expired_records(second, now);
  room.evicts = room.slots == 0 && when_full == WhenFull::evict;
  if (!room.evicts) return room;
  room.slots = oldest_to_give_way(second, now);
  if (room.slots != 0) return room;
  room.which = 0;
  room.slots = oldest_to_give_way(first, now);
  return room;
}

template <typename Record>
struct Claimed {
  Record* record;  // null: another CPU was faster, or there is no vacancy
  u64 before;      // the word that the claim replaced; 0: the slot was free
  u32 slot;
  u32 which;  // of the key's two buckets
};

// Claims the slot nearest to the key's place that is still vacant or, to evict, live.
template <typename Record, typename Table>
PEN_INLINE Claimed<Record> claim(Table table, const Place& place, const Room& room, u32 now) {
  Bucket<Record>* bucket = table.bucket(room.which == 0 ? place.bucket[0] : place.bucket[1]);
  if (!bucket) return {};
  u64 candidates = set_from(room.slots, place.start);
  PEN_ROLLED
  for (u32 i = 0; i < records_per_bucket && candidates != 0; ++i) {
    const u32 slot = (first_byte(candidates) + place.start) & (records_per_bucket - 1);
    candidates = without_first(candidates);
    Record* record = &bucket->records[slot];
    const u64 before = load_acquire(&record->word);
    const bool vacant = before == 0 || is_over(record, before, now);
    if (!vacant && !(room.evicts && is_live(before) && gives_way(record, before) != 0)) continue;
    if (!compare_exchange(&record->word, before, claimed_at(now))) continue;
    return {record, before, slot, room.which};
  }
  return {};
}

// Ends a record whose word was `found.word`: claims it, tells `on_end(record, word)` while the contents still stand, frees the
// slot. False: the record changed meanwhile, and is not this caller's to end.
template <typename Record, typename Table, typename OnEnd>
PEN_INLINE bool end_record(Table table, const Found<Record>& found, u32 now, OnEnd on_end) {
  u64* tags = table.tags(found.bucket);
  if (!tags || !compare_exchange(&found.record->word, found.word, claimed_at(now))) return false;
  on_end(*found.record, found.word);
  set_tag(tags, found.index, 0);
  exchange(&found.record->word, 0);
  return true;
}

// How many records of a bucket are looked at again because another CPU changed them meanwhile.
static constexpr u32 looks_again = 8;

// Calls visit(found) for each record of a key, in the order of the key's path, those that are over included. False: not done, as the
// record changed meanwhile; it is looked at again.
template <typename Record, typename Table, typename Key, typename Visit>
PEN_INLINE void for_each_of_key(Table table, const Place& place, const Key& key, Visit visit) {
  PEN_ROLLED
  for (u32 which = 0; which < 2; ++which) {
    const u32 index = which == 0 ? place.bucket[0] : place.bucket[1];
    const u64* tags = table.tags(index);
    Bucket<Record>* bucket = table.bucket(index);
    if (!tags || !bucket) return;
    u64 candidates = bytes_equal_to(tag_of(place), load_acquire(tags));
    PEN_ROLLED
    for (u32 i = 0; i < records_per_bucket + looks_again && candidates != 0; ++i) {
      const u32 slot = first_byte(candidates);
      const Found<Record> found{&bucket->records[slot], load_acquire(&bucket->records[slot].word), index, slot};
      const bool is_of_key = (found.word ^ place.live) >> word_owner_shift == 0 && same_key(found.record->key, key);
      if (is_of_key && !visit(found)) continue;
      candidates = without_first(candidates);
    }
  }
}

// Of several records of one key the first on the key's path that is not over stays, the others are ended; those that are over, too,
// as a CPU whose clock is behind may still renew them. Returns the one that stays.
template <typename Record, typename Table, typename Key, typename OnEnd>
PEN_INLINE Found<Record> settle(Table table, const Place& place, const Key& key, u32 now, OnEnd on_end) {
  Found<Record> first{};
  for_each_of_key<Record>(table, place, key, [&](const Found<Record>& found) PEN_INLINE_LAMBDA {
    if (first.record || is_over(found.record, found.word, now)) return end_record(table, found, now, on_end);
    first = found;
    return true;
  });
  return first;
}

template <typename Record>
struct Inserted {
  bool stored;          // false: both buckets are full (or, with bad luck, contended)
  bool is_ours;         // what stays is what was inserted
  Found<Record> stays;  // the key's record after all; null if another CPU ended it meanwhile
};

// Puts `content` with the given state and expiry into one of the slots; settle() must follow, as another CPU may have done the
// same. `on_end(record, word)` is called for each record that ends by it: one that had expired, or was evicted. Null record: no
// slot.
template <typename Record, typename Table, typename OnEnd>
PEN_INLINE Claimed<Record> publish_record(Table table, const Place& place, const Room& room, const Record& content,
                                          u32 state, u32 expiry, u32 now, OnEnd on_end) {
  const Claimed<Record> slot = claim<Record>(table, place, room, now);
  if (!slot.record) return slot;
  u64* tags = table.tags(slot.which == 0 ? place.bucket[0] : place.bucket[1]);
  if (slot.before != 0) on_end(*slot.record, slot.before);
  u64* target = reinterpret_cast<u64*>(slot.record);
  const u64* source = reinterpret_cast<const u64*>(&content);
  for (u32 i = 1; i < sizeof(Record) / sizeof(u64); ++i) store_release(&target[i], source[i]);
  if (tags) set_tag(tags, slot.slot, tag_of(place));  // as the bucket is there, so are they
  exchange(&slot.record->word, with_state(place.live | life_of(content), state, expiry));
  return slot;
}

// All of it. `on_end` is called for records that lost to an equal key, too.
template <typename Record, typename Table, typename OnEnd>
PEN_INLINE Inserted<Record> insert_record(Table table, const Place& place, const Record& content, u32 state, u32 expiry,
                                          u32 now, WhenFull when_full, OnEnd on_end) {
  Room room = vacant_room(table, place);
  if (room.slots == 0) room = crowded_room<Record>(table, place, now, when_full);
  const Claimed<Record> slot = publish_record(table, place, room, content, state, expiry, now, on_end);
  if (!slot.record) return {};
  const Found<Record> stays = settle<Record>(table, place, content.key, now, on_end);
  return {true, stays.record == slot.record, stays};
}

}  // namespace penstock
