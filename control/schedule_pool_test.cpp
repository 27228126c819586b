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

TEST(schedule_pool, regions_are_whole_cache_lines_with_a_cell_for_the_cursor) {
  SchedulePool pool(64);
  EXPECT_EQ(pool.allocate(7, start)->offset, 0U);
  EXPECT_EQ(pool.allocate(8, start)->offset, 8U) << "7 picks and the cursor fill one line";
  const auto third = pool.allocate(1, start);
  EXPECT_EQ(third->offset, 24U) << "8 picks and the cursor need two";
  EXPECT_EQ(third->size, 1U);
}

TEST(schedule_pool, the_last_cell_is_given_and_not_one_more) {
  SchedulePool pool(16);
  EXPECT_TRUE(pool.allocate(15, start));
  const auto refused = pool.allocate(1, start);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::exhausted);
  EXPECT_EQ(refused.error().errno_value, ENOMEM);
  EXPECT_FALSE(SchedulePool(16).allocate(16, start));
}

TEST(schedule_pool, a_region_that_was_left_rests_for_its_grace) {
  SchedulePool pool(8);
  const ScheduleRef first = *pool.allocate(7, start);
  pool.release(first, start);
  EXPECT_FALSE(pool.allocate(7, later - milliseconds(1)));
  EXPECT_TRUE(pool.allocate(7, later));
}

TEST(schedule_pool, gaps_grow_together_in_any_order) {
  for (const auto& order : {std::vector<int>{0, 1, 2}, {0, 2, 1}, {1, 0, 2}, {1, 2, 0}, {2, 0, 1}, {2, 1, 0}}) {
    SchedulePool pool(24);
    const ScheduleRef regions[] = {*pool.allocate(7, start), *pool.allocate(7, start), *pool.allocate(7, start)};
    for (const int which : order) pool.release(regions[which], start);
    EXPECT_TRUE(pool.allocate(23, later));
  }
}

TEST(schedule_pool, keeps_what_is_in_use_once) {
  SchedulePool pool(32);
  EXPECT_TRUE(pool.keep({.offset = 8, .size = 3}));
  EXPECT_FALSE(pool.keep({.offset = 8, .size = 3})) << "taken";
  EXPECT_FALSE(pool.keep({.offset = 0, .size = 8})) << "overlaps";
  EXPECT_FALSE(pool.keep({.offset = 17, .size = 1})) << "not at a line";
  EXPECT_FALSE(pool.keep({.offset = 16, .size = 16})) << "one cell too long";
  EXPECT_FALSE(pool.keep({.offset = 4096, .size = 1})) << "outside";
  EXPECT_FALSE(pool.keep({.offset = 16, .size = 0xffffffff})) << "no overflow";
  EXPECT_TRUE(pool.keep({.offset = 16, .size = 15}));
  EXPECT_TRUE(pool.keep({.offset = 0, .size = 7}));
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
      for (u32 cell = 0; cell <= region.size; ++cell) ASSERT_TRUE(cells.insert(region.offset + cell).second);
  }
  for (const ScheduleRef& region : held) pool.release(region, now);
  EXPECT_TRUE(pool.allocate(1023, now + schedule_grace)) << "all came back";
}

}  // namespace
}  // namespace penstock::control
