#include "schedulers/dh_table.hpp"

#include <gtest/gtest.h>

#include <algorithm>

namespace penstock::schedulers {
namespace {

TEST(dh_table, of_no_servers_is_empty) { EXPECT_TRUE(dh_table(0).empty()); }

TEST(dh_table, of_one_server_is_all_its_own) { EXPECT_EQ(dh_table(1), std::vector<std::uint32_t>(256, 0)); }

TEST(dh_table, deals_buckets_in_list_order) {
  const auto table = dh_table(3);
  ASSERT_EQ(table.size(), 256U);
  EXPECT_EQ((std::vector<std::uint32_t>{table.begin(), table.begin() + 7}),
            (std::vector<std::uint32_t>{0, 1, 2, 0, 1, 2, 0}));
  EXPECT_EQ(table[255], 0U) << "256 = 3 * 85 + 1";
}

TEST(dh_table, of_more_servers_than_buckets_is_of_the_first) {
  const auto table = dh_table(257);
  EXPECT_EQ(table[255], 255U);
  EXPECT_EQ(std::ranges::count(table, 256U), 0);
}

}  // namespace
}  // namespace penstock::schedulers
