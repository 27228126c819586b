#include "control/sizes.hpp"

#include <gtest/gtest.h>

#include <bit>

namespace penstock::control {
namespace {

TEST(Sizes, defaults_hold_a_million_connections_in_80_mib) {
  const auto config = config_of(Sizes{}, 2);
  ASSERT_TRUE(config) << config.error().message;
  EXPECT_EQ(config->connection_buckets * records_per_bucket, 1U << 20);
  EXPECT_LT(memory_of(*config), u64{84} << 20);
  EXPECT_EQ(config->abi_version, abi_version);
}

TEST(Sizes, every_size_becomes_a_power_of_two) {
  const auto config =
      config_of({.connections_bytes = 100'000'000, .services_max = 5, .servers_max = 5, .schedule_cells = 65}, 3);
  ASSERT_TRUE(config) << config.error().message;
  for (const u32 size : {config->connection_buckets, config->service_buckets, config->servers_max,
                         config->next_hops_max, config->schedule_cells})
    EXPECT_TRUE(std::has_single_bit(size)) << size;
  EXPECT_LE(u64{config->connection_buckets} * sizeof(ConnectionBucket), 100'000'000U)
      << "memory: no more than asked for";
  EXPECT_GE(config->servers_max, 5U) << "rows: no less than asked for";
  EXPECT_GT(config->next_hops_max, config->servers_max) << "row 0 is taken";
}

TEST(Sizes, borders) {
  Sizes sizes;
  sizes.connections_bytes = 32768;
  EXPECT_TRUE(config_of(sizes, 1));
  sizes.connections_bytes = 32767;
  EXPECT_FALSE(config_of(sizes, 1));
  sizes.connections_bytes = table_bytes_max;
  EXPECT_TRUE(config_of(sizes, 1));
  sizes.connections_bytes = table_bytes_max + 1;
  const auto refused = config_of(sizes, 1);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::out_of_range);
  EXPECT_NE(refused.error().message.find("--connections-bytes"), std::string::npos);

  sizes = {};
  sizes.servers_max = 1;
  EXPECT_FALSE(config_of(sizes, 1)) << "slot 0 is no server's";
  sizes.servers_max = 2;
  EXPECT_TRUE(config_of(sizes, 1));
  sizes.servers_max = 65536;
  EXPECT_TRUE(config_of(sizes, 1));
  sizes.servers_max = 65537;
  EXPECT_FALSE(config_of(sizes, 1)) << "a connection names its server in 16 bits";

  sizes = {};
  sizes.services_max = rows_max;
  EXPECT_TRUE(config_of(sizes, 1));
  sizes.services_max = rows_max + 1;
  EXPECT_FALSE(config_of(sizes, 1));
}

}  // namespace
}  // namespace penstock::control
