#include "schedulers/sh_table.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <limits>

namespace penstock::schedulers {
namespace {

using Weights = std::vector<std::int32_t>;
using Positions = std::vector<std::uint32_t>;

Positions first_of(const Positions& table, std::ptrdiff_t entries) { return {table.begin(), table.begin() + entries}; }

TEST(sh_table, of_no_servers_is_empty) { EXPECT_TRUE(sh_table({}).empty()); }

TEST(sh_table, of_one_server_is_all_its_own_whatever_it_weighs) {
  for (const std::int32_t weight : {0, 1, 255, 256, 257, std::numeric_limits<std::int32_t>::max()})
    EXPECT_EQ(sh_table(Weights{weight}), Positions(256, 0)) << weight;
}

TEST(sh_table, gives_as_many_in_a_row_as_a_server_weighs) {
  const Positions table = sh_table(Weights{2, 1, 3});
  EXPECT_EQ(first_of(table, 9), (Positions{0, 0, 1, 2, 2, 2, 0, 0, 1}));
  // ipvs-spec.md §6: weights 3, 1, 2 in the order of their addition.
  EXPECT_EQ(std::ranges::count(table, 2U), 127);
  EXPECT_EQ(std::ranges::count(table, 1U), 43);
  EXPECT_EQ(std::ranges::count(table, 0U), 86);
}

TEST(sh_table, gives_a_quiesced_server_one) {
  EXPECT_EQ(first_of(sh_table(Weights{2, 0, 1}), 6), (Positions{0, 0, 1, 2, 0, 0}));
  EXPECT_EQ(first_of(sh_table(Weights{0, 0}), 4), (Positions{0, 1, 0, 1}));
}

TEST(sh_table, starves_those_behind_a_weight_of_all_buckets) {
  EXPECT_EQ(std::ranges::count(sh_table(Weights{255, 1}), 1U), 1);
  EXPECT_EQ(std::ranges::count(sh_table(Weights{256, 1}), 1U), 0);
}

}  // namespace
}  // namespace penstock::schedulers
