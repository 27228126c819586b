#include "control/reach.hpp"

#include <gmock/gmock.h>
#include <linux/neighbour.h>

namespace penstock::control {
namespace {

using testing::HasSubstr;

const model::Address rs1 = *model::parse_address("10.0.0.2");
const model::Address router = *model::parse_address("10.0.0.254");
constexpr Mac eth1_mac = {2, 0, 0, 0, 0, 1};
constexpr Mac rs1_mac = {2, 0, 0, 0, 0, 2};
constexpr Mac router_mac = {2, 0, 0, 0, 0, 0xfe};

Link eth1() {
  return {.index = 5, .name = "eth1", .kind = "", .is_up = true, .is_ethernet = true, .mtu = 1500, .mac = eth1_mac};
}

Network network(int rs1_state, std::optional<Mac> mac = rs1_mac) {
  Network known;
  known.take(LinkEvent{.removed = false, .link = eth1()});
  known.take(
      NeighbourEvent{.removed = false,
                     .neighbour = {.interface = 5, .address = rs1, .state = static_cast<u16>(rs1_state), .mac = mac}});
  known.take(NeighbourEvent{.removed = false,
                            .neighbour = {.interface = 5, .address = router, .state = NUD_STALE, .mac = router_mac}});
  return known;
}

Route on_link() { return {.kind = Route::Kind::unicast, .interface = 5, .gateway = std::nullopt, .mtu = 0}; }

TEST(Reach, neighbour_with_a_mac_address_is_reached_by_it) {
  const Reach reached = reach(rs1, on_link(), network(NUD_REACHABLE));
  EXPECT_EQ(reached.row.state, NextHopState::resolved);
  EXPECT_TRUE(std::ranges::equal(reached.row.destination, rs1_mac));
  EXPECT_TRUE(std::ranges::equal(reached.row.source, eth1_mac));
  EXPECT_EQ(reached.row.interface, 5U);
  EXPECT_EQ(reached.row.mtu, 1500U);
  EXPECT_EQ(reached.neighbour, (NeighbourKey{5, rs1}));
}

TEST(Reach, gateway_takes_the_servers_place) {
  Route route = on_link();
  route.gateway = router;
  const Reach reached = reach(rs1, route, network(NUD_FAILED, std::nullopt));
  EXPECT_EQ(reached.row.state, NextHopState::resolved);
  EXPECT_TRUE(std::ranges::equal(reached.row.destination, router_mac));
  EXPECT_EQ(reached.neighbour, (NeighbourKey{5, router}));
}

TEST(Reach, smaller_mtu_of_route_and_link_counts) {
  Route route = on_link();
  route.mtu = 1400;
  EXPECT_EQ(reach(rs1, route, network(NUD_REACHABLE)).row.mtu, 1400U);
  route.mtu = 9000;
  EXPECT_EQ(reach(rs1, route, network(NUD_REACHABLE)).row.mtu, 1500U);
}

TEST(Reach, states_that_the_kernel_sends_in_are_usable) {
  for (const int state : {NUD_PERMANENT, NUD_NOARP, NUD_REACHABLE, NUD_PROBE, NUD_STALE, NUD_DELAY})
    EXPECT_EQ(reach(rs1, on_link(), network(state)).row.state, NextHopState::resolved) << state;
  for (const int state : {NUD_NONE, NUD_INCOMPLETE, NUD_FAILED})
    EXPECT_EQ(reach(rs1, on_link(), network(state)).row.state, NextHopState::unresolved) << state;
}

TEST(Reach, unreachable_says_why_and_asks_only_where_asking_helps) {
  struct Case {
    const char* words;
    Route route;
    Network known;
    bool asks;
  };
  Network down = network(NUD_REACHABLE);
  down.links[5].is_up = false;
  Network tunnel = network(NUD_REACHABLE);
  tunnel.links[5].is_ethernet = false;
  Network stranger = network(NUD_REACHABLE);
  stranger.take(NeighbourEvent{.removed = true, .neighbour = {.interface = 5, .address = rs1, .mac = std::nullopt}});
  Network gone = network(NUD_REACHABLE);
  gone.take(LinkEvent{.removed = true, .link = eth1()});
  const Case cases[] = {
      {"there is no route", {.gateway = std::nullopt}, network(NUD_REACHABLE), false},
      {"an address of this machine",
       {.kind = Route::Kind::local, .gateway = std::nullopt},
       network(NUD_REACHABLE),
       false},
      {"interface eth1 is down", on_link(), down, false},
      {"interface eth1 is not Ethernet", on_link(), tunnel, false},
      {"interface 5 is not known", on_link(), gone, false},
      {"waiting for the MAC address of 10.0.0.2 on eth1", on_link(), stranger, true},
      {"nobody answers for 10.0.0.2 on eth1", on_link(), network(NUD_FAILED, std::nullopt), true},
  };
  for (const auto& [words, route, known, asks] : cases) {
    const Reach reached = reach(rs1, route, known);
    EXPECT_THAT(reached.words, HasSubstr(words));
    EXPECT_EQ(reached.row.state, NextHopState::unresolved) << words;
    EXPECT_EQ(reached.neighbour.has_value(), asks) << words;
  }
}

TEST(Network, a_link_takes_its_neighbours_with_it) {
  Network known = network(NUD_REACHABLE);
  known.take(LinkEvent{.removed = true, .link = eth1()});
  EXPECT_TRUE(known.neighbours.empty());
}

}  // namespace
}  // namespace penstock::control
