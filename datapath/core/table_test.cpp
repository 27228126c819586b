// The table of connections: claim, look-up, expiry, deletion; and what its shape promises in numbers.
#include "datapath/core/table.hpp"

#include <gtest/gtest.h>

#include <cstdio>
#include <deque>
#include <random>

#include "datapath/core/hash.hpp"
#include "datapath/core/table_insert.hpp"
#include "datapath/native/native_tables.hpp"

namespace penstock {
namespace {

const Config config = small_config();

FlowKey key_of(u64 number) {
  return {.client = {.low = number & 0xffffffff, .high = 0},
          .vip = {.low = 0x010200c0, .high = 0},
          .client_port = static_cast<be16>(number >> 32),
          .vip_port = big(u16{80}),
          .protocol = 6,
          .family = Family::ipv4,
          .role = Role::request};
}

// A table of which another CPU renews a record, between this one's look and its end: tags are asked for once before all looks, and
// again at each end.
struct Renewed {
  TableView<Connection> table;
  Connection* record;
  u32 expiry;
  u32* asked;
  u32 renewals;

  [[nodiscard]] ConnectionBucket* bucket(u32 index) const { return table.bucket(index); }
  [[nodiscard]] u64* tags(u32 index) const {
    const u32 ends = (*asked)++;
    if (ends > 0 && ends <= renewals) record->word = with_state(record->word, state_of(record->word), expiry + ends);
    return table.tags(index);
  }
};

// One thread's table, with the ends it was told of.
class Table {
  TableView<Connection> view() { return {buckets_, tags_}; }
  auto ends() {
    return [this](const Connection& record, u64) {
      ++ended;
      last_ended = record;
    };
  }

 public:
  explicit Table(u32 buckets) : buckets_(buckets), tags_(buckets) {}

  [[nodiscard]] Place place(u64 number) const {
    return place_of(hash_of(config.hash_key, key_of(number)), static_cast<u32>(buckets_.size()));
  }

  Inserted<Connection> insert(u64 number, u32 expiry, u32 now, WhenFull when_full = WhenFull::refuse, u16 server = 0) {
    Connection content{};
    content.key = key_of(number);
    content.server = server;
    return insert_record<Connection>(view(), place(number), content, state, expiry, now, when_full, ends());
  }

  // Both ways must find the same.
  Found<Connection> find(u64 number, u32 now) {
    const auto present = find_record<Connection>(view(), place(number), key_of(number), now, Guess::present);
    const auto absent = find_record<Connection>(view(), place(number), key_of(number), now, Guess::absent);
    EXPECT_EQ(present.record, absent.record);
    EXPECT_EQ(present.index, absent.index);
    return present;
  }

  // Without asking what else stands there of its key, as a CPU does before it settles with the others.
  Connection* publish(u64 number, u32 expiry, u32 now) {
    Connection content{};
    content.key = key_of(number);
    const Place where = place(number);
    return publish_record(view(), where, vacant_room(view(), where), content, state, expiry, now, ends()).record;
  }

  // Another CPU renews `record` as often as somebody is about to end a record, `renewals` times at most.
  Found<Connection> settle_while_renewed(u64 number, u32 now, Connection* record, u32 renewals) {
    u32 asked = 0;
    const Renewed renewed{view(), record, now + 100, &asked, renewals};
    return settle<Connection>(renewed, place(number), key_of(number), now, ends());
  }

  bool end(const Found<Connection>& found, u32 now) { return end_record(view(), found, now, ends()); }

  [[nodiscard]] u32 occupied() const {
    u32 count = 0;
    for (const ConnectionBucket& bucket : buckets_) {
      for (const Connection& record : bucket.records) count += record.word != 0 ? 1 : 0;
    }
    return count;
  }

  std::vector<ConnectionBucket>& buckets() { return buckets_; }
  // A record's byte, read by hand.
  [[nodiscard]] u32 tag(u32 bucket, u32 index) const { return tags_[bucket] >> (8 * index) & 0xff; }
  u32 state = static_cast<u32>(TcpState::established);  // of what is inserted
  u32 ended = 0;
  Connection last_ended{};

 private:
  std::vector<ConnectionBucket> buckets_;
  std::vector<u64> tags_;
};

TEST(Table, finds_what_was_inserted_and_nothing_else) {
  Table table(64);
  for (u64 i = 0; i < 256; ++i) ASSERT_TRUE(table.insert(i, 100, 0).stored);
  for (u64 i = 0; i < 256; ++i) {
    const auto found = table.find(i, 99);
    ASSERT_TRUE(found.record);
    ASSERT_EQ(found.record->key.client.low, i);
    ASSERT_EQ(state_of(found.word), 1U);
    ASSERT_EQ(expires_of(found.word), 100U);
  }
  for (u64 i = 256; i < 10000; ++i) ASSERT_FALSE(table.find(i, 99).record);
  EXPECT_EQ(table.ended, 0U);
}

TEST(Table, a_word_keeps_tag_state_and_expiry_apart) {
  const u64 word = with_state(~0ULL << word_tag_shift | word_live, 0xf, 0xffffffff);
  EXPECT_EQ(state_of(word), 0xfU);
  EXPECT_EQ(expires_of(word), 0xffffffffU);
  EXPECT_TRUE(is_live(word));
  EXPECT_EQ(word & word_claimed, 0U);
  EXPECT_EQ(with_state(word, 0, 0), ~0ULL << word_tag_shift | word_live);
  EXPECT_FALSE(is_live(claimed_at(0xffffffff)));
}

TEST(Table, expiry_is_exact_and_survives_the_wrap_of_the_clock) {
  for (const u32 begin : {0U, 0x7ffffff0U, 0xfffffff0U}) {
    Table table(4);
    (void)table.insert(1, begin + 100, begin);
    EXPECT_TRUE(table.find(1, begin + 99).record);
    EXPECT_FALSE(table.find(1, begin + 100).record);
    EXPECT_FALSE(table.find(1, begin + 0x7fffffff).record);
  }
}

TEST(Table, an_expired_record_is_replaced_and_reported) {
  Table table(2);
  u32 stored = 0;
  for (u64 i = 0; i < 64; ++i) stored += table.insert(i, 10, 0).stored ? 1 : 0;
  EXPECT_EQ(stored, 16U);
  for (u64 i = 100; i < 164; ++i) stored += table.insert(i, 20, 10).stored ? 1 : 0;
  EXPECT_EQ(stored, 32U);  // each of the sixteen slots once more
  EXPECT_EQ(table.ended, 16U);
  EXPECT_EQ(table.occupied(), 16U);
}

TEST(Table, what_expired_in_either_bucket_makes_room) {
  for (u32 expired_bucket = 0; expired_bucket < 2; ++expired_bucket) {
    Table table(2);
    for (u64 i = 0; i < 64; ++i) (void)table.insert(i, 100, 0);
    ASSERT_EQ(table.occupied(), 16U);
    Connection& record = table.buckets()[expired_bucket].records[5];
    record.word = with_state(record.word, 1, 10);
    const auto inserted = table.insert(100, 100, 50);
    ASSERT_TRUE(inserted.stored);
    EXPECT_EQ(inserted.stays.record, &record);
    EXPECT_EQ(table.ended, 1U);
    EXPECT_TRUE(table.find(100, 50).record);
  }
}

// Sixteen records, in all places of both buckets; the later ones are the older.
void fill(Table& table) {
  for (u64 i = 0; i < 64; ++i) (void)table.insert(i, 1000 - static_cast<u32>(i), 0);
  ASSERT_EQ(table.occupied(), 16U);
}

TEST(Table, a_full_pair_of_buckets_refuses_or_gives_up_its_oldest_half_open_connection) {
  Table table(2);
  table.state = static_cast<u32>(TcpState::syn_recv);
  fill(table);
  EXPECT_FALSE(table.insert(100, 1000, 0).stored);
  EXPECT_EQ(table.ended, 0U);

  u32 oldest_expiry = ~0U;  // of the key's second bucket, where there are some
  for (const Connection& record : table.buckets()[table.place(100).bucket[1]].records)
    oldest_expiry = std::min(oldest_expiry, expires_of(record.word));
  EXPECT_TRUE(table.insert(100, 1000, 0, WhenFull::evict).stored);
  EXPECT_EQ(table.ended, 1U);
  EXPECT_EQ(1000 - table.last_ended.key.client.low, oldest_expiry);
  EXPECT_FALSE(table.find(table.last_ended.key.client.low, 0).record);
  EXPECT_TRUE(table.find(100, 0).record);
}

TEST(Table, what_is_established_never_gives_way) {
  Table table(2);
  fill(table);
  for (u64 i = 100; i < 1000; ++i) ASSERT_FALSE(table.insert(i, 1000, 0, WhenFull::evict).stored);
  EXPECT_EQ(table.ended, 0U);
}

TEST(Table, the_one_half_open_connection_of_either_bucket_gives_way) {
  for (u32 bucket = 0; bucket < 2; ++bucket) {
    Table table(2);
    fill(table);
    Connection& record = table.buckets()[bucket].records[3];
    record.word = with_state(record.word, static_cast<u32>(TcpState::syn_recv), 1000);
    const auto inserted = table.insert(100, 1000, 0, WhenFull::evict);
    ASSERT_TRUE(inserted.stored) << bucket;
    EXPECT_EQ(inserted.stays.record, &record);
  }
}

TEST(Table, what_expired_in_either_bucket_goes_before_what_lives_gives_way) {
  for (u32 bucket = 0; bucket < 2; ++bucket) {
    Table table(2);
    table.state = static_cast<u32>(TcpState::syn_recv);
    fill(table);
    Connection& record = table.buckets()[bucket].records[3];
    record.word = with_state(record.word, table.state, 10);
    const auto inserted = table.insert(100, 1000, 50, WhenFull::evict);
    ASSERT_TRUE(inserted.stored);
    EXPECT_EQ(inserted.stays.record, &record) << "bucket " << bucket;
  }
}

// Who gives way, by protocol, role and state.
TEST(Table, handshakes_and_fragments_give_way_and_nothing_else) {
  const auto gives = [](u8 protocol, Role role, u32 state) {
    Connection record{};
    record.key.protocol = protocol;
    record.key.role = role;
    return gives_way(&record, with_state(word_live, state, 0)) != 0;
  };
  for (u32 state = 0; state < 16; ++state) {
    const bool half_open = state == 2 || state == 3 || state == 9 || state == 10;  // SYN_SENT, SYN_RECV, LISTEN, SYNACK
    EXPECT_EQ(gives(6, Role::request, state), half_open) << state;
    EXPECT_FALSE(gives(17, Role::request, state)) << state;
    EXPECT_FALSE(gives(132, Role::request, state) && state == 8) << "an established association";
    for (const u8 protocol : {u8{6}, u8{17}, u8{132}}) {
      EXPECT_FALSE(gives(protocol, Role::reply, state)) << state;
      EXPECT_FALSE(gives(protocol, Role::persistence, state)) << state;
      EXPECT_FALSE(gives(protocol, Role::cache, state)) << state;
      EXPECT_TRUE(gives(protocol, Role::fragment, state)) << state;
    }
  }
  for (u32 state = 1; state <= 7; ++state) EXPECT_TRUE(gives(132, Role::request, state)) << "sctp handshake " << state;
}

TEST(Table, claimed_slots_are_nobodys) {
  Table table(2);
  for (ConnectionBucket& bucket : table.buckets()) {
    for (Connection& record : bucket.records) record.word = claimed_at(5);
  }
  EXPECT_FALSE(table.find(1, 0).record);
  EXPECT_FALSE(table.insert(1, 100, 50).stored);
  EXPECT_FALSE(table.insert(1, 100, 50, WhenFull::evict).stored);
  EXPECT_EQ(table.ended, 0U);
}

TEST(Table, ending_needs_the_word_that_was_read) {
  Table table(4);
  (void)table.insert(1, 100, 0);
  const auto found = table.find(1, 0);
  found.record->word = with_state(found.word, 2, 200);
  EXPECT_FALSE(table.end(found, 0));
  EXPECT_TRUE(table.find(1, 150).record);
  EXPECT_TRUE(table.end(table.find(1, 150), 150));
  EXPECT_EQ(table.ended, 1U);
  EXPECT_EQ(table.occupied(), 0U);
}

TEST(Table, of_two_records_of_one_key_the_first_on_its_path_stays) {
  Table table(64);
  (void)table.insert(1, 100, 0, WhenFull::refuse, 11);
  const auto second = table.insert(1, 100, 0, WhenFull::refuse, 22);
  EXPECT_TRUE(second.stored);
  ASSERT_TRUE(second.stays.record);
  EXPECT_EQ(second.stays.record->server, 11U);
  EXPECT_EQ(table.ended, 1U);
  EXPECT_EQ(table.last_ended.server, 22U);
  EXPECT_EQ(table.occupied(), 1U);
}

TEST(Table, a_second_record_of_a_key_ends_even_if_it_is_renewed_meanwhile) {
  Table table(64);
  Connection* first = table.publish(1, 100, 0);
  Connection* second = table.publish(1, 100, 0);
  EXPECT_EQ(table.settle_while_renewed(1, 0, second, 3).record, first);
  EXPECT_EQ(table.ended, 1U);
  EXPECT_EQ(table.occupied(), 1U);
}

TEST(Table, of_two_records_of_one_key_one_stays_even_if_one_was_over_and_is_renewed_meanwhile) {
  Table table(64);
  Connection* old = table.publish(1, 100, 0);
  (void)table.publish(1, 300, 200);
  EXPECT_EQ(table.settle_while_renewed(1, 200, old, 1).record, old);
  EXPECT_EQ(table.ended, 1U);
  EXPECT_EQ(table.occupied(), 1U);
}

TEST(Table, an_expired_record_of_the_same_key_does_not_stand_in_the_way) {
  Table table(64);
  (void)table.insert(1, 100, 0, WhenFull::refuse, 11);
  const auto second = table.insert(1, 300, 200, WhenFull::refuse, 22);
  ASSERT_TRUE(second.stays.record);
  EXPECT_EQ(second.stays.record->server, 22U);
  EXPECT_EQ(table.find(1, 200).record->server, 22U);
  EXPECT_EQ(table.ended, 1U) << "it could be renewed by whoever doesn't know yet that it is over";
  EXPECT_EQ(table.occupied(), 1U);
}

TEST(Table, the_two_buckets_of_a_key_are_never_the_same) {
  std::mt19937_64 random(3);
  for (u32 buckets = 2; buckets <= 1U << 24; buckets *= 2) {
    for (int i = 0; i < 1000; ++i) {
      const Place place = place_of(random(), buckets);
      ASSERT_NE(place.bucket[0], place.bucket[1]);
      ASSERT_LT(place.bucket[0], buckets);
      ASSERT_LT(place.bucket[1], buckets);
      ASSERT_NE(tag_of(place), 0);
      ASSERT_LT(place.start, records_per_bucket);
    }
  }
}

// ADR-0003: at the default load an insertion that finds no slot is rarer than one in a million. Seen: 2 in 20 million.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr u64 insertions = 2'000'000;  // the same code, ten times slower
#else
constexpr u64 insertions = 20'000'000;
#endif
constexpr u32 buckets_of_trial = 4096;
constexpr u64 slots_of_trial = u64{buckets_of_trial} * records_per_bucket;

TEST(TableAtHalfLoad, fewer_than_one_insertion_in_a_million_finds_no_slot) {
  Table table(buckets_of_trial);
  std::deque<u64> present;
  std::mt19937_64 random(4);
  u64 refused = 0;
  for (u64 i = 0; i < insertions; ++i) {
    const u64 number = random();
    if (table.insert(number, 1000, 0).stored) {
      present.push_back(number);
    } else {
      ++refused;
    }
    if (present.size() <= slots_of_trial / 2) continue;
    // The oldest goes, as most do in life.
    ASSERT_TRUE(table.end(table.find(present.front(), 0), 0));
    present.pop_front();
  }
  std::printf("refused: %llu of %llu at half load\n", static_cast<unsigned long long>(refused),
              static_cast<unsigned long long>(insertions));
  EXPECT_LT(refused, insertions / 1'000'000);
}

// Not promised, but good to know: what happens beyond. Seen: 0.03 %.
TEST(TableAtHalfLoad, few_are_refused_up_to_three_quarters) {
  u64 refused = 0;
  for (u64 round = 0; round < 20; ++round) {
    Table table(buckets_of_trial);
    for (u64 i = 0; i < slots_of_trial * 3 / 4; ++i) refused += table.insert(round << 32 | i, 1000, 0).stored ? 0 : 1;
  }
  EXPECT_LT(refused, 20 * slots_of_trial * 3 / 4 / 1000);
}

// What a look-up by the tags reads: those of a bucket, and each record whose tag is the key's, up to its own; all of that for
// the first bucket when the record stands in the second.
u64 lines_by_tags(const Table& table, const Place& place, const Found<Connection>& found) {
  u64 lines = 0;
  for (const u32 bucket : place.bucket) {
    ++lines;
    const bool here = bucket == found.bucket;
    for (u32 index = 0; index < (here ? found.index + 1 : records_per_bucket); ++index) {
      lines += table.tag(bucket, index) == tag_of(place) ? 1 : 0;
    }
    if (here) break;
  }
  return lines;
}

u32 distance_of(const Place& place, const Found<Connection>& found) {
  return (found.index - place.start) % records_per_bucket;
}

bool is_near(const Place& place, const Found<Connection>& found) {
  return found.bucket == place.bucket[0] && distance_of(place, found) < records_near_start;
}

// Who expects the key reads records from its place on, and only then goes by the tags.
u64 lines_by_place(const Table& table, const Place& place, const Found<Connection>& found) {
  if (is_near(place, found)) return distance_of(place, found) + 1;
  return records_near_start + lines_by_tags(table, place, found);
}

struct Lines {
  double by_place = 0;
  double by_tags = 0;
  double near = 0;  // share of the keys that stand near their place
};

Lines lines_per_lookup(Table& table, const std::deque<u64>& present) {
  Lines lines;
  for (const u64 number : present) {
    const Place place = table.place(number);
    const Found<Connection> found = table.find(number, 0);
    lines.by_place += static_cast<double>(lines_by_place(table, place, found));
    lines.by_tags += static_cast<double>(lines_by_tags(table, place, found));
    lines.near += is_near(place, found) ? 1 : 0;
  }
  const double count = static_cast<double>(present.size());
  return {lines.by_place / count, lines.by_tags / count, lines.near / count};
}

// Churned, so that records stand where they do in life and not where they find an empty table.
Lines lines_per_lookup_at(u64 percent) {
  Table table(buckets_of_trial);
  std::deque<u64> present;
  std::mt19937_64 random(5);
  for (u64 i = 0; i < slots_of_trial * 8; ++i) {
    present.push_back(random());
    EXPECT_TRUE(table.insert(present.back(), 1000, 0).stored);
    if (present.size() <= slots_of_trial * percent / 100) continue;
    EXPECT_TRUE(table.end(table.find(present.front(), 0), 0));
    present.pop_front();
  }
  return lines_per_lookup(table, present);
}

// Seen: by place 1.44 and 2.70, by tags 2.02 and 2.17, of which one is the tags', which serves eight buckets.
TEST(TableAtHalfLoad, a_look_up_reads_few_cache_lines) {
  const Lines quarter = lines_per_lookup_at(25);
  const Lines half = lines_per_lookup_at(50);
  std::printf(
      "cache lines per look-up: by place %.2f at 25 %%, %.2f at 50 %% load; by tags %.2f and %.2f; near their place "
      "%.3f and %.3f\n",
      quarter.by_place, half.by_place, quarter.by_tags, half.by_tags, quarter.near, half.near);
  EXPECT_LT(quarter.by_place, 1.6);
  EXPECT_LT(half.by_place, 2.8);
  EXPECT_GT(quarter.near, 0.97);
  EXPECT_GT(half.near, 0.78);
  EXPECT_LT(quarter.by_tags, 2.1);
  EXPECT_LT(half.by_tags, 2.3);
}

}  // namespace
}  // namespace penstock
