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

// What a request and its reply's record have in common: all that addresses and ports are made of.
[[nodiscard]] inline std::string both_ends(const Connection& connection) {
  Connection common{};
  common.key = connection.key;
  common.key.role = Role::request;
  common.server = connection.server;
  common.traits = connection.traits & 0x87;
  common.local_address = connection.local_address;
  common.local_port = connection.local_port;
  return {reinterpret_cast<const char*>(&common), sizeof common};
}

// Whether the connection is of nat, and stands where its replies look without a record of their own (ADR-0014).
[[nodiscard]] inline bool stands_in_place(const Tables& tables, const Record& record) {
  if ((record.connection.traits & 0x87) != static_cast<u8>(Method::nat)) return false;
  const u64 hash = hash_of(tables.config.hash_key, record.connection.key);
  const u64 distance = (record.number - (hash >> 29)) % 8;
  return record.number / 8 == hash % tables.config.connection_buckets && distance < 4;
}

// Requests of nat and fullnat that no reply finds. One whose replies another request has taken since is among them.
[[nodiscard]] inline std::vector<Record> unanswerable(const Tables& tables, u32 now) {
  std::set<std::string> found;
  for (const Record& record : live_records(tables, now, Role::reply)) found.insert(both_ends(record.connection));
  std::vector<Record> lost;
  for (const Record& record : live_records(tables, now, Role::request)) {
    const auto method = static_cast<Method>(record.connection.traits & 7);
    if (method != Method::nat && method != Method::fullnat) continue;
    if (record.connection.key.client_port == be16{}) continue;  // FTP's data, of which nothing was seen yet
    if (!found.contains(both_ends(record.connection)) && !stands_in_place(tables, record)) lost.push_back(record);
  }
  return lost;
}

}  // namespace penstock::packets
