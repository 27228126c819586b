#include "datapath/core/branchless.hpp"

#include <gtest/gtest.h>

#include <limits>

namespace penstock {
namespace {

constexpr u64 largest = std::numeric_limits<s64>::max();
constexpr u32 largest_word = std::numeric_limits<u32>::max();

TEST(Branchless, one_if_less_is_less_than_on_either_side_of_every_border) {
  const u64 numbers[] = {0, 1, 2, 0x7fffffff, 0x80000000, largest_word, 0x100000000, largest - 1, largest};
  for (const u64 a : numbers)
    for (const u64 b : numbers) EXPECT_EQ(one_if_less(a, b), a < b ? 1U : 0U) << a << " < " << b;
}

TEST(Branchless, one_if_equal_is_equality_of_any_two_words) {
  const u32 numbers[] = {0, 1, 2, 6, 132, 0x7fffffff, 0x80000000, largest_word - 1, largest_word};
  for (const u32 a : numbers)
    for (const u32 b : numbers) EXPECT_EQ(one_if_equal(a, b), a == b ? 1U : 0U) << a << " == " << b;
}

}  // namespace
}  // namespace penstock
