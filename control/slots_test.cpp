#include "control/slots.hpp"

#include <gtest/gtest.h>

#include <cerrno>

namespace penstock::control {
namespace {

using std::chrono::milliseconds;

SlotOwner owner(const char* server, std::uint16_t service_port = 80) {
  SlotOwner made;
  made.service.vip = {*model::parse_address("192.0.2.1"), service_port};
  made.server = {*model::parse_address(server), 80};
  return made;
}

class slots : public testing::Test {
 protected:
  slots() { servers[1].route.generation = 0xffff; }

  std::vector<RealServer> servers = std::vector<RealServer>(4);
  std::vector<ServerLoad> loads = std::vector<ServerLoad>(4);
  Slots made{servers, loads};
};

TEST_F(slots, lowest_first_each_with_a_new_generation) {
  const Slot first = *made.take(owner("10.0.0.1"));
  EXPECT_EQ(first.index, 1U) << "slot 0 is no server's";
  EXPECT_EQ(first.generation, 0) << "wraps";
  const Slot second = *made.take(owner("10.0.0.2"));
  EXPECT_EQ(second.index, 2U);
  EXPECT_EQ(second.generation, 1);
}

TEST_F(slots, the_last_one_is_given_and_then_it_refuses) {
  EXPECT_TRUE(made.take(owner("10.0.0.1")));
  EXPECT_TRUE(made.take(owner("10.0.0.2")));
  EXPECT_TRUE(made.take(owner("10.0.0.3")));
  const auto refused = made.take(owner("10.0.0.4"));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().errno_value, ENOMEM);
  EXPECT_EQ(refused.error().message, "all 3 places for real servers are taken (penstockd --servers-max)");
}

// A connection has 16 bits for its server's slot.
TEST_F(slots, as_many_as_connections_can_tell_apart_and_not_one_more) {
  constexpr u32 rows = 1 << 16;
  const std::vector<RealServer> all_servers(rows);
  const std::vector<ServerLoad> all_loads(rows);
  Slots full(all_servers, all_loads);
  const auto one_of_many = [](u32 number) {
    return owner(("10.0." + std::to_string(number >> 8 & 0xff) + "." + std::to_string(number & 0xff)).c_str());
  };
  for (u32 slot = 1; slot < rows - 1; ++slot) ASSERT_TRUE(full.adopt(one_of_many(slot), {slot, 0}, false));
  EXPECT_EQ(full.take(one_of_many(rows - 1))->index, 0xffffU);
  const auto refused = full.take(one_of_many(0));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().message, "all 65535 places for real servers are taken (penstockd --servers-max)");
  EXPECT_EQ(refused.error().errno_value, ENOMEM);
}

TEST_F(slots, a_slot_that_connections_refer_to_is_given_to_nobody) {
  loads[1].inactive = 1;
  loads[2].active = 1;
  EXPECT_EQ(made.take(owner("10.0.0.1"))->index, 3U);
  loads[1].inactive = 0;
  loads[1].persistent = 1;
  EXPECT_FALSE(made.take(owner("10.0.0.2"))) << "a template refers to it";
  loads[1].persistent = 0;
  EXPECT_EQ(made.take(owner("10.0.0.2"))->index, 1U);
}

TEST_F(slots, the_same_server_gets_its_slot_and_generation_back) {
  const Slot first = *made.take(owner("10.0.0.1"));
  made.retire(owner("10.0.0.1"));
  EXPECT_EQ(made.retired().size(), 1U);
  EXPECT_EQ(made.take(owner("10.0.0.2"))->index, 2U) << "it rests";
  EXPECT_EQ(made.take(owner("10.0.0.1", 81))->index, 3U) << "another service's server is another server";
  const Slot again = *made.take(owner("10.0.0.1"));
  EXPECT_EQ(again.index, first.index);
  EXPECT_EQ(again.generation, first.generation);
  EXPECT_TRUE(made.retired().empty());
}

TEST_F(slots, a_retired_slot_is_free_two_minutes_after_its_last_connection) {
  const milliseconds start{5000};
  ASSERT_TRUE(made.take(owner("10.0.0.1")));
  ASSERT_TRUE(made.take(owner("10.0.0.2")));
  made.retire(owner("10.0.0.1"));
  loads[1].active = 1;
  EXPECT_TRUE(made.free_what_is_due(start).empty());
  EXPECT_TRUE(made.free_what_is_due(start + 10 * retired_slot_rest).empty()) << "it has a connection";

  loads[1].active = 0;
  const milliseconds idle = start + 11 * retired_slot_rest;
  EXPECT_TRUE(made.free_what_is_due(idle).empty());
  EXPECT_TRUE(made.free_what_is_due(idle + retired_slot_rest - milliseconds(1)).empty());
  EXPECT_EQ(made.free_what_is_due(idle + retired_slot_rest), std::vector<u32>{1}) << "and 10.0.0.2 stays";
  EXPECT_TRUE(made.is_free(1));
  EXPECT_FALSE(made.is_free(2));
}

TEST_F(slots, a_connection_in_between_begins_the_rest_anew) {
  const milliseconds start{0};
  ASSERT_TRUE(made.take(owner("10.0.0.1")));
  made.retire(owner("10.0.0.1"));
  EXPECT_TRUE(made.free_what_is_due(start).empty());
  loads[1].inactive = 1;
  EXPECT_TRUE(made.free_what_is_due(start + milliseconds(60'000)).empty());
  loads[1].inactive = 0;
  EXPECT_TRUE(made.free_what_is_due(start + milliseconds(90'000)).empty());
  EXPECT_TRUE(made.free_what_is_due(start + retired_slot_rest).empty());
  EXPECT_EQ(made.free_what_is_due(start + milliseconds(90'000) + retired_slot_rest).size(), 1U);
}

TEST_F(slots, adopts_what_fits) {
  EXPECT_TRUE(made.adopt(owner("10.0.0.1"), {2, 7}, false));
  EXPECT_FALSE(made.adopt(owner("10.0.0.1"), {1, 7}, false)) << "has one";
  EXPECT_FALSE(made.adopt(owner("10.0.0.2"), {2, 7}, false)) << "taken";
  EXPECT_FALSE(made.adopt(owner("10.0.0.2"), {4, 7}, false)) << "no such slot";
  EXPECT_FALSE(made.adopt(owner("10.0.0.2"), {server_of_none, 7}, false)) << "no server's slot";
  EXPECT_TRUE(made.adopt(owner("10.0.0.2"), {1, 9}, true));
  EXPECT_EQ(made.take(owner("10.0.0.2"))->generation, 9);
}

}  // namespace
}  // namespace penstock::control
