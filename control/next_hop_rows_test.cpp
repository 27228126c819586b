#include "control/next_hop_rows.hpp"

#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <cstring>
#include <thread>

#include "datapath/core/atomic.hpp"

namespace penstock::control {
namespace {

NextHop hop(u8 mark, u32 mtu = 1500) {
  NextHop content{};
  std::memset(content.destination, mark, sizeof content.destination);
  std::memset(content.source, mark, sizeof content.source);
  content.interface = mark;
  content.mtu = mtu;
  content.state = NextHopState::resolved;
  return content;
}

bool same(const NextHop& a, const NextHop& b) { return std::memcmp(&a, &b, sizeof a) == 0; }

void apply(NextHopRows& rows, const RowChange& change) { rows.apply({&change, 1}); }

TEST(NextHopRows, writes_replaces_and_withdraws) {
  std::array<NextHop, 4> table{};
  NextHopRows rows(table);
  apply(rows, {2, hop(7)});
  EXPECT_TRUE(same(table[2], hop(7)));
  apply(rows, {2, hop(8)});
  EXPECT_TRUE(same(table[2], hop(8)));
  apply(rows, {2, hop(8, 1400)});
  EXPECT_TRUE(same(table[2], hop(8, 1400)));
  apply(rows, {2, {}});
  EXPECT_EQ(table[2].state, NextHopState::unresolved);
  apply(rows, {2, hop(9)});
  EXPECT_TRUE(same(table[2], hop(9)));
  EXPECT_EQ(table[1].state, NextHopState::unresolved);
  EXPECT_EQ(table[3].state, NextHopState::unresolved);
}

TEST(NextHopRows, row_of_the_machine_itself_is_local_before_and_after_another) {
  std::array<NextHop, 2> table{};
  NextHopRows rows(table);
  NextHop local{};
  local.state = NextHopState::local;
  apply(rows, {1, local});
  EXPECT_TRUE(same(table[1], local));
  apply(rows, {1, hop(7)});
  EXPECT_TRUE(same(table[1], hop(7)));
  apply(rows, {1, local});
  EXPECT_TRUE(same(table[1], local));
}

TEST(NextHopRows, says_when_the_directors_own_addresses_are_others) {
  std::array<NextHop, 3> table{};
  NextHopRows rows(table);
  const auto changes = [&rows](const RowChange& change) { return rows.apply({&change, 1}); };
  NextHop from_first = hop(7);
  from_first.address.low = 1;
  NextHop from_second = hop(7);
  from_second.address.high = 2;
  EXPECT_FALSE(changes({1, hop(7)})) << "none, as before";
  EXPECT_TRUE(changes({1, from_first}));
  EXPECT_FALSE(changes({1, from_first}));
  from_first.mtu = 1400;
  EXPECT_FALSE(changes({1, from_first}));
  EXPECT_TRUE(changes({1, from_second}));
  EXPECT_TRUE(changes({1, {}}));
  EXPECT_FALSE(changes({1, {}})) << "what an unresolved row holds says nothing";
}

TEST(NextHopRows, adopted_row_of_the_same_content_is_not_touched) {
  std::array<NextHop, 2> table{};
  table[1] = hop(7);
  NextHopRows rows(table);
  std::atomic<bool> stop = false;
  bool was_withdrawn = false;
  std::thread reader([&] {
    while (!stop) was_withdrawn |= load_acquire(reinterpret_cast<u32*>(&table[1].state)) == 0;
  });
  for (int i = 0; i < 1000; ++i) apply(rows, {1, hop(7)});
  stop = true;
  reader.join();
  EXPECT_FALSE(was_withdrawn);
}

}  // namespace
}  // namespace penstock::control
