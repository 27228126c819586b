// A server's load and its thresholds (IPVS: ip_vs_dest_update_overload).
#include "datapath/core/load.hpp"

#include <gtest/gtest.h>

#include <array>

namespace penstock {
namespace {

ServerLoad with_thresholds(u32 upper, u32 lower) {
  ServerLoad load{};
  load.weight = 1;
  load.upper_threshold = upper;
  load.lower_threshold = lower;
  return load;
}

void bind(ServerLoad& load, u32 count) {
  for (u32 i = 0; i < count; ++i) bind_load(&load, i % 2 == 0);
}

TEST(Load, without_thresholds_it_is_never_too_much) {
  ServerLoad load = with_thresholds(0, 0);
  bind(load, 100000);
  EXPECT_EQ(load.overloaded, 0U);
  EXPECT_TRUE(is_eligible(&load));
}

TEST(Load, overload_begins_when_the_total_reaches_the_upper_threshold) {
  ServerLoad load = with_thresholds(4, 2);
  bind(load, 3);
  EXPECT_TRUE(is_eligible(&load));
  bind(load, 1);
  EXPECT_EQ(load.active + load.inactive, 4);
  EXPECT_FALSE(is_eligible(&load));
}

TEST(Load, overload_ends_below_the_lower_threshold) {
  ServerLoad load = with_thresholds(4, 2);
  bind(load, 4);
  unbind_load(&load, true);
  unbind_load(&load, true);
  EXPECT_EQ(load.active + load.inactive, 2);
  EXPECT_FALSE(is_eligible(&load));
  unbind_load(&load, false);
  EXPECT_TRUE(is_eligible(&load));
}

TEST(Load, without_a_lower_threshold_it_ends_below_three_quarters) {
  for (u32 upper = 1; upper <= 100; ++upper) {
    ServerLoad load = with_thresholds(upper, 0);
    for (u32 i = 0; i < upper; ++i) bind_load(&load, true);
    ASSERT_FALSE(is_eligible(&load)) << upper;
    u32 total = upper;
    while (total > 0) {
      unbind_load(&load, true);
      --total;
      const bool relieved = total * 4 < upper * 3;
      ASSERT_EQ(is_eligible(&load), relieved) << total << " of " << upper;
    }
  }
}

TEST(Load, weight_0_takes_no_new_connections) {
  ServerLoad load = with_thresholds(0, 0);
  load.weight = 0;
  EXPECT_FALSE(is_eligible(&load));
}

TEST(Load, a_move_between_active_and_inactive_leaves_the_total) {
  ServerLoad load = with_thresholds(3, 1);
  bind_load(&load, true);
  move_load(&load, false);
  EXPECT_EQ(load.active, 0);
  EXPECT_EQ(load.inactive, 1);
  move_load(&load, true);
  EXPECT_EQ(load.active, 1);
  EXPECT_EQ(load.inactive, 0);
}

TEST(Load, the_end_of_a_record_is_booked_by_its_role_and_state) {
  ServerLoad load{};
  const auto load_at = [&load](u32 slot) { return slot == 7 ? &load : nullptr; };
  Connection record{};
  record.server = 7;
  record.key.protocol = 6;
  const auto end = [&](Role role, TcpState state) {
    load = {};
    record.key.role = role;
    end_load(load_at, record, static_cast<u64>(state) << 32);
    return std::array{load.active, load.inactive, load.persistent};
  };
  EXPECT_EQ(end(Role::request, TcpState::established), (std::array{-1, 0, 0}));
  EXPECT_EQ(end(Role::request, TcpState::syn_recv), (std::array{-1, 0, 0}));
  EXPECT_EQ(end(Role::request, TcpState::fin_wait), (std::array{0, -1, 0}));
  EXPECT_EQ(end(Role::persistence, TcpState::none), (std::array{0, 0, -1}));
  EXPECT_EQ(end(Role::reply, TcpState::established), (std::array{0, 0, 0}));
  EXPECT_EQ(end(Role::fragment, TcpState::established), (std::array{0, 0, 0}));
  EXPECT_EQ(end(Role::cache, TcpState::established), (std::array{0, 0, 0}));
  record.server = 8;
  EXPECT_EQ(end(Role::request, TcpState::established), (std::array{0, 0, 0})) << "a slot that there is not";
}

}  // namespace
}  // namespace penstock
