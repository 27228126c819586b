// What stands in the tables of connections, found by walking them: nothing of the packet path's own look-up is believed.
#pragma once

#include <gtest/gtest.h>

#include <cstring>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "datapath/core/connection.hpp"
#include "datapath/native/tables.hpp"

namespace penstock::packets {

struct Record {
  Connection connection;
  Region region;
};

// Everything that is not free. Nobody else may be writing.
[[nodiscard]] inline std::vector<Record> all_records(const Tables& tables) {
  std::vector<Record> records;
  const auto walk = [&records](const auto& buckets, Region region) {
    for (const ConnectionBucket& bucket : buckets) {
      for (const Connection& connection : bucket.records) {
        if (connection.word != 0) records.push_back({connection, region});
      }
    }
  };
  walk(tables.connections, Region::established);
  walk(tables.half_open, Region::half_open);
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

// Bits as datapath/core/table.hpp describes them, read here by hand.
[[nodiscard]] inline bool is_published(u64 word) { return (word >> 38 & 3) == 2; }
[[nodiscard]] inline bool counts_as_active(const Connection& connection) {
  const u64 state = connection.word >> 32 & 0xf;
  return connection.key.protocol == 6 && (state == 1 || state == 2 || state == 3 || state == 10);
}

// Each server's load is the number of its records, active and inactive, expired ones included.
inline void expect_loads_to_match(const Tables& tables) {
  std::vector<s32> active(tables.loads.size());
  std::vector<s32> inactive(tables.loads.size());
  for (const Record& record : all_records(tables)) {
    ASSERT_TRUE(is_published(record.connection.word)) << "a claim was left behind";
    ASSERT_LT(record.connection.server, tables.loads.size());
    ++(counts_as_active(record.connection) ? active : inactive)[record.connection.server];
  }
  for (std::size_t slot = 0; slot < tables.loads.size(); ++slot) {
    EXPECT_EQ(tables.loads[slot].active, active[slot]) << "active connections of slot " << slot;
    EXPECT_EQ(tables.loads[slot].inactive, inactive[slot]) << "inactive connections of slot " << slot;
  }
}

// A slot is free by its word and by its tag byte alike, or taken by both.
inline void expect_tags_to_match(const Tables& tables) {
  const auto walk = [](const auto& buckets, const auto& tags) {
    for (std::size_t bucket = 0; bucket < buckets.size(); ++bucket) {
      for (u32 index = 0; index < records_per_bucket; ++index) {
        const bool has_tag = (tags[bucket] >> (8 * index) & 0xff) != 0;
        const bool has_word = buckets[bucket].records[index].word != 0;
        ASSERT_EQ(has_tag, has_word) << "bucket " << bucket << " slot " << index;
      }
    }
  };
  walk(tables.connections, tables.connection_tags);
  walk(tables.half_open, tables.half_open_tags);
}

// Keys that stand more than once among the unexpired records of one region.
[[nodiscard]] inline u32 duplicates(const Tables& tables, u32 now) {
  std::set<std::pair<Region, std::string>> seen;
  u32 count = 0;
  for (const Record& record : live_records(tables, now)) {
    std::string key(sizeof(FlowKey), '\0');
    std::memcpy(key.data(), &record.connection.key, sizeof(FlowKey));
    count += seen.insert({record.region, key}).second ? 0 : 1;
  }
  return count;
}

}  // namespace penstock::packets
