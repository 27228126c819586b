#include "lab/traffic.hpp"

#include <gtest/gtest.h>

namespace penstock::lab {
namespace {

using namespace std::chrono_literals;

TEST(Rates, are_growth_by_time_and_bytes_are_bits) {
  const Traffic before{{.from_host = {100, 1000}, .to_host = {5, 50}}};
  const Traffic after{{.from_host = {300, 5000}, .to_host = {5, 50}}};
  const auto all = rates(before, after, 2s);
  ASSERT_EQ(all.size(), 1U);
  EXPECT_EQ(all[0].from_host.packets, 100);
  EXPECT_EQ(all[0].from_host.bits, 16000);
  EXPECT_EQ(all[0].to_host.packets, 0);
  EXPECT_EQ(all[0].to_host.bits, 0);
}

TEST(Rates, nothing_is_said_of_a_port_that_was_made_anew_or_of_no_time) {
  const Traffic before{{.from_host = {100, 1000}, .to_host = {}}};
  const Traffic after{{.from_host = {3, 30}, .to_host = {}}};
  EXPECT_EQ(rates(before, after, 1s)[0].from_host.packets, 0);
  EXPECT_EQ(rates(after, before, 0s)[0].from_host.packets, 0);
  EXPECT_EQ(rates({}, after, 1s)[0].from_host.packets, 0);
}

struct NumberCase {
  double number;
  const char* text;
};

TEST(ShortNumber, has_three_digits_and_a_unit) {
  const NumberCase cases[] = {{0, "0"},         {0.4, "0"},        {999.4, "999"},     {999.5, "1.00k"},
                              {9994, "9.99k"},  {9996, "10.0k"},   {99940, "99.9k"},   {99960, "100k"},
                              {999499, "999k"}, {999500, "1.00M"}, {1.234e9, "1.23G"}, {5e12, "5.00T"},
                              {9.99e14, "999T"}};
  for (const NumberCase& c : cases) EXPECT_EQ(short_number(c.number), c.text) << c.number;
}

}  // namespace
}  // namespace penstock::lab
