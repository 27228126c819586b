// What stands in the connection table, found by walking it: nothing of the packet path's own look-up is believed.
#pragma once

#include <gtest/gtest.h>

#include <bit>
#include <cstring>
#include <set>
#include <string>
#include <vector>

#include "datapath/core/connection.hpp"
#include "datapath/native/tables.hpp"

namespace penstock::packets {

struct Record {
  Connection connection;
  u32 number;  // as a Peer says it
};

// Everything that is not free. Nobody else may be writing.
[[nodiscard]] inline std::vector<Record> all_records(const Tables& tables) {
  std::vector<Record> records;
  u32 number = 0;
  for (const ConnectionBucket& bucket : tables.connections) {
    for (const Connection& connection : bucket.records) {
      if (connection.word != 0) records.push_back({connection, number});
      ++number;
    }
  }
  return records;
}

// Those that have not expired at `now`.
[[nodiscard]] inline std::vector<Record> live_records(const Tables& tables, u32 now) {
  std::vector<Record> records;
  for (const Record& record : all_records(tables)) {
    const u32 expiry = static_cast<u32>(record.connection.word);
    if (static_cast<s32>(expiry - now) > 0) records.push_back(record);
  }
  return records;
}

[[nodiscard]] inline std::vector<Record> live_records(const Tables& tables, u32 now, Role role) {
  std::vector<Record> records = live_records(tables, now);
  std::erase_if(records, [role](const Record& record) { return record.connection.key.role != role; });
  return records;
}

// Bits as datapath/core/table.hpp describes them, read here by hand.
[[nodiscard]] inline bool is_published(u64 word) { return (word >> 38 & 3) == 2; }
[[nodiscard]] inline u32 owner_bits(u64 word) { return static_cast<u32>(word >> 36); }
[[nodiscard]] inline u64 state_bits(u64 word) { return word >> 32 & 0xf; }
[[nodiscard]] inline bool counts_as_active(const Connection& connection) {
  const u64 state = state_bits(connection.word);
  if (connection.key.protocol == 132) return state == 8;
  return connection.key.protocol == 6 && (state == 1 || state == 2 || state == 3 || state == 9 || state == 10);
}

// Each server's load is the number of its records, expired ones included.
inline void expect_loads_to_match(const Tables& tables) {
  std::vector<s32> active(tables.loads.size());
  std::vector<s32> inactive(tables.loads.size());
  std::vector<s32> persistent(tables.loads.size());
  for (const Record& record : all_records(tables)) {
    const Connection& connection = record.connection;
    ASSERT_TRUE(is_published(connection.word)) << "a claim was left behind";
    ASSERT_LT(connection.server, tables.loads.size());
    if (connection.key.role == Role::persistence) ++persistent[connection.server];
    if (connection.key.role == Role::request) ++(counts_as_active(connection) ? active : inactive)[connection.server];
  }
  for (std::size_t slot = 0; slot < tables.loads.size(); ++slot) {
    EXPECT_EQ(tables.loads[slot].active, active[slot]) << "active connections of slot " << slot;
    EXPECT_EQ(tables.loads[slot].inactive, inactive[slot]) << "inactive connections of slot " << slot;
    EXPECT_EQ(tables.loads[slot].persistent, persistent[slot]) << "templates of slot " << slot;
  }
}

// A slot is free by its word and by its tag byte alike, or taken by both.
inline void expect_tags_to_match(const Tables& tables) {
  for (std::size_t bucket = 0; bucket < tables.connections.size(); ++bucket) {
    for (u32 index = 0; index < records_per_bucket; ++index) {
      const bool has_tag = (tables.connection_tags[bucket] >> (8 * index) & 0xff) != 0;
      const bool has_word = tables.connections[bucket].records[index].word != 0;
      ASSERT_EQ(has_tag, has_word) << "bucket " << bucket << " slot " << index;
    }
  }
}

[[nodiscard]] inline std::string bytes_of(const FlowKey& key) {
  std::string bytes(sizeof(FlowKey), '\0');
  std::memcpy(bytes.data(), &key, sizeof(FlowKey));
  return bytes;
}

// Keys that stand more than once among the unexpired records.
[[nodiscard]] inline u32 duplicates(const Tables& tables, u32 now) {
  std::set<std::string> seen;
  u32 count = 0;
  for (const Record& record : live_records(tables, now))
    count += seen.insert(bytes_of(record.connection.key)).second ? 0 : 1;
  return count;
}

// Requests of nat and fullnat to which no reply's record leads: their replies would be lost. One whose reply's key another
// request has taken since is none of them.
[[nodiscard]] inline std::vector<Record> unanswerable(const Tables& tables, u32 now) {
  std::set<u32> named;
  for (const Record& record : live_records(tables, now, Role::reply)) {
    const Peer peer = std::bit_cast<Peer>(record.connection.detail);
    const u64 word = tables.connections[peer.record / 8].records[peer.record % 8].word;
    if (owner_bits(word) == peer.owner) named.insert(peer.record);
  }
  std::vector<Record> lost;
  for (const Record& record : live_records(tables, now, Role::request)) {
    const auto method = static_cast<Method>(record.connection.traits & 7);
    if (method != Method::nat && method != Method::fullnat) continue;
    if (record.connection.key.client_port == be16{}) continue;  // FTP's data, of which nothing was seen yet
    if (!named.contains(record.number)) lost.push_back(record);
  }
  return lost;
}

}  // namespace penstock::packets
