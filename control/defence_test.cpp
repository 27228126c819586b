#include "control/defence.hpp"

#include <gtest/gtest.h>

namespace penstock::control {
namespace {

model::Settings with(const char* name, const char* value) {
  model::Settings settings;
  EXPECT_TRUE(model::change(settings, name, value));
  return settings;
}

TEST(defence, is_off_by_default_however_short_memory_is) {
  EXPECT_EQ(defence_of({}, plenty_of_pages), Defence{});
  EXPECT_EQ(defence_of({}, 0), Defence{});
}

TEST(defence, works_while_memory_is_below_the_threshold) {
  for (const char* mode : {"1", "2"}) {
    EXPECT_FALSE(defence_of(with("secure_tcp", mode), 1024).secure_tcp);
    EXPECT_TRUE(defence_of(with("secure_tcp", mode), 1023).secure_tcp);
    EXPECT_FALSE(defence_of(with("drop_entry", mode), 1024).drops_entries);
    EXPECT_TRUE(defence_of(with("drop_entry", mode), 1023).drops_entries);
    EXPECT_EQ(defence_of(with("drop_packet", mode), 1024).drop_rate, 0U);
    EXPECT_EQ(defence_of(with("drop_packet", mode), 1023).drop_rate, 1024U);
    EXPECT_EQ(defence_of(with("drop_packet", mode), 512).drop_rate, 2U);
    EXPECT_EQ(defence_of(with("drop_packet", mode), 0).drop_rate, 1U);
  }
}

TEST(defence, works_always_in_mode_3) {
  EXPECT_TRUE(defence_of(with("secure_tcp", "3"), plenty_of_pages).secure_tcp);
  EXPECT_TRUE(defence_of(with("drop_entry", "3"), plenty_of_pages).drops_entries);
  auto settings = with("drop_packet", "3");
  EXPECT_EQ(defence_of(settings, plenty_of_pages).drop_rate, 10U);
  ASSERT_TRUE(model::change(settings, "am_droprate", "2"));
  EXPECT_EQ(defence_of(settings, 0).drop_rate, 2U);
}

TEST(defence, a_machine_has_some_pages) {
  EXPECT_GT(available_pages(), 0U);
  EXPECT_LT(available_pages(), plenty_of_pages);
}

}  // namespace
}  // namespace penstock::control
