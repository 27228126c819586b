#include "control/next_hop_book.hpp"

#include <gtest/gtest.h>

namespace penstock::control {
namespace {

const model::Address a = *model::parse_address("10.0.0.1");
const model::Address b = *model::parse_address("10.0.0.2");
const model::Address c = *model::parse_address("2001:db8::3");

TEST(NextHopBook, one_row_an_address_and_never_row_0) {
  NextHopBook book(3);
  const auto first = book.acquire(a);
  const auto again = book.acquire(a);
  const auto other = book.acquire(b);
  ASSERT_TRUE(first && again && other);
  EXPECT_EQ(first->row, 1U);
  EXPECT_TRUE(first->is_first);
  EXPECT_EQ(again->row, 1U);
  EXPECT_FALSE(again->is_first);
  EXPECT_EQ(other->row, 2U);
}

TEST(NextHopBook, full_table_is_refused_and_a_release_makes_room) {
  NextHopBook book(3);
  ASSERT_TRUE(book.acquire(a) && book.acquire(b));
  const auto refused = book.acquire(c);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::exhausted);
  EXPECT_EQ(book.release(a), 1U);
  EXPECT_EQ(book.acquire(c)->row, 1U);
}

TEST(NextHopBook, row_stays_until_the_last_user_is_gone) {
  NextHopBook book(3);
  ASSERT_TRUE(book.acquire(a) && book.acquire(a));
  EXPECT_EQ(book.release(a), 0U);
  EXPECT_EQ(book.acquire(b)->row, 2U);
  EXPECT_EQ(book.release(a), 1U);
}

TEST(NextHopBook, adopted_rows_wait_for_their_address_and_for_no_other) {
  NextHopBook book(4);
  book.reserve(a, 1);
  book.reserve(b, 3);
  EXPECT_EQ(book.acquire(c)->row, 2U);
  const auto adopted = book.acquire(b);
  EXPECT_EQ(adopted->row, 3U);
  EXPECT_TRUE(adopted->is_first);
  EXPECT_EQ(book.forget_unclaimed(), std::vector<u32>{1});
  EXPECT_EQ(book.acquire(a)->row, 1U);
}

TEST(NextHopBook, two_servers_of_one_address_or_a_row_out_of_the_table_are_reserved_at_most_once) {
  NextHopBook book(3);
  book.reserve(a, 1);
  book.reserve(a, 2);
  book.reserve(b, 1);
  book.reserve(c, 99);
  EXPECT_EQ(book.acquire(b)->row, 2U);
  EXPECT_EQ(book.acquire(a)->row, 1U);
}

}  // namespace
}  // namespace penstock::control
