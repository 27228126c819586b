#include "control/schedule_pool.hpp"

#include <gtest/gtest.h>

#include <cerrno>
#include <random>
#include <set>

namespace penstock::control {
namespace {

using std::chrono::milliseconds;
constexpr milliseconds start{1000};
constexpr milliseconds later = start + schedule_grace;

// A schedule's header fills a line.
TEST(schedule_pool, regions_are_whole_cache_lines_with_one_for_the_header) {
  SchedulePool pool(64);
  EXPECT_EQ(pool.allocate(8, start)->offset, 0U);
  EXPECT_EQ(pool.allocate(9, start)->offset, 16U) << "the header and 8 picks fill two lines";
  const auto third = pool.allocate(1, start);
  EXPECT_EQ(third->offset, 40U) << "9 picks need two, besides the header's";
  EXPECT_EQ(third->size, 1U);
}

TEST(schedule_pool, the_last_cell_is_given_and_not_one_more) {
  SchedulePool pool(16);
  EXPECT_TRUE(pool.allocate(8, start));
  const auto refused = pool.allocate(1, start);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::exhausted);
  EXPECT_EQ(refused.error().errno_value, ENOMEM);
  EXPECT_FALSE(SchedulePool(16).allocate(9, start));
}

TEST(schedule_pool, a_region_that_was_left_rests_for_its_grace) {
  SchedulePool pool(16);
  const auto first = pool.allocate(8, start);
  ASSERT_TRUE(first);
  pool.release(*first, start);
  EXPECT_FALSE(pool.allocate(8, later - milliseconds(1)));
  EXPECT_TRUE(pool.allocate(8, later));
}

TEST(schedule_pool, gaps_grow_together_in_any_order) {
  for (const auto& order : {std::vector<int>{0, 1, 2}, {0, 2, 1}, {1, 0, 2}, {1, 2, 0}, {2, 0, 1}, {2, 1, 0}}) {
    SchedulePool pool(48);
    std::vector<ScheduleRef> regions;
    for (int i = 0; i < 3; ++i) regions.push_back(pool.allocate(8, start).value());
    for (const int which : order) pool.release(regions[static_cast<std::size_t>(which)], start);
    EXPECT_TRUE(pool.allocate(40, later));
  }
}

TEST(schedule_pool, keeps_what_is_in_use_once) {
  SchedulePool pool(64);
  EXPECT_TRUE(pool.keep({.offset = 16, .size = 3}));
  EXPECT_FALSE(pool.keep({.offset = 16, .size = 3})) << "taken";
  EXPECT_FALSE(pool.keep({.offset = 0, .size = 9})) << "overlaps";
  EXPECT_FALSE(pool.keep({.offset = 33, .size = 1})) << "not at a line";
  EXPECT_FALSE(pool.keep({.offset = 32, .size = 25})) << "one cell too long";
  EXPECT_FALSE(pool.keep({.offset = 4096, .size = 1})) << "outside";
  EXPECT_FALSE(pool.keep({.offset = 32, .size = 0xffffffff})) << "no overflow";
  EXPECT_TRUE(pool.keep({.offset = 32, .size = 24}));
  EXPECT_TRUE(pool.keep({.offset = 0, .size = 8}));
  EXPECT_FALSE(pool.allocate(1, start));
}

TEST(schedule_pool, never_gives_a_cell_twice) {
  std::mt19937 random(7);
  SchedulePool pool(1024);
  std::vector<ScheduleRef> held;
  milliseconds now = start;
  for (int step = 0; step < 5000; ++step, now += milliseconds(20)) {
    if (random() % 2 == 0 && !held.empty()) {
      std::swap(held[random() % held.size()], held.back());
      pool.release(held.back(), now);
      held.pop_back();
    } else if (const auto got = pool.allocate(static_cast<u32>(1 + random() % 60), now)) {
      held.push_back(*got);
    }
    std::set<u32> cells;
    for (const ScheduleRef& region : held)
      for (u32 cell = 0; cell < schedule_header_cells + region.size; ++cell)
        ASSERT_TRUE(cells.insert(region.offset + cell).second);
  }
  for (const ScheduleRef& region : held) pool.release(region, now);
  EXPECT_TRUE(pool.allocate(1024 - schedule_header_cells, now + schedule_grace)) << "all came back";
}

}  // namespace
}  // namespace penstock::control
