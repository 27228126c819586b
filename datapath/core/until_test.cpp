// Times that hold until a tick, as the clock goes round.
#include "datapath/core/until.hpp"

#include <gtest/gtest.h>

namespace penstock {
namespace {

TEST(Until, holds_until_its_tick_and_not_before_it_was_set) {
  u64 until = 0;
  EXPECT_FALSE(holds(until, 0));
  hold_until(&until, 100);
  EXPECT_TRUE(holds(until, 99));
  EXPECT_FALSE(holds(until, 100));
  EXPECT_FALSE(holds(until, 101));
}

TEST(Until, a_later_time_stays) {
  u64 until = 0;
  hold_until(&until, 100);
  hold_until(&until, 50);
  EXPECT_TRUE(holds(until, 99));
  hold_until(&until, 150);
  EXPECT_TRUE(holds(until, 149));
  EXPECT_FALSE(holds(until, 150));
}

TEST(Until, holds_while_the_clock_goes_round) {
  u64 until = 0;
  hold_until(&until, 0);
  EXPECT_TRUE(holds(until, 0xffffffff));
  EXPECT_FALSE(holds(until, 0));
}

TEST(Until, what_is_past_does_not_come_back_once_it_is_forgotten) {
  u64 until = 0;
  hold_until(&until, 100);
  EXPECT_TRUE(holds(until, 100U + (1U << 31)));
  forget_past(&until, 99);
  EXPECT_TRUE(holds(until, 99));
  forget_past(&until, 100);
  EXPECT_FALSE(holds(until, 100U + (1U << 31)));
}

}  // namespace
}  // namespace penstock
