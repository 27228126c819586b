#include "control/reach.hpp"

#include <gmock/gmock.h>
#include <linux/neighbour.h>

#include <cstring>

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

Route on_link() { return {.kind = Route::Kind::unicast, .interface = 5, .gateway = {}, .source = {}, .mtu = 0}; }

Route no_route() { return {.gateway = {}, .source = {}}; }

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
      {"there is no route", no_route(), network(NUD_REACHABLE), false},
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

TEST(Reach, own_address_is_left_to_the_kernel) {
  const Reach reached = reach(rs1, {.kind = Route::Kind::local, .gateway = {}, .source = {}}, network(NUD_REACHABLE));
  EXPECT_EQ(reached.row.state, NextHopState::local);
  EXPECT_EQ(reached.row.interface, 0U);
  EXPECT_THAT(reached.words, HasSubstr("this machine"));
  EXPECT_FALSE(reached.neighbour);
}

TEST(Reach, source_of_the_route_is_where_tunnels_leave_from) {
  Route route = on_link();
  EXPECT_EQ(reach(rs1, route, network(NUD_REACHABLE)).row.address.low, 0U);
  route.source = model::parse_address("10.0.0.1");
  const NextHop row = reach(rs1, route, network(NUD_REACHABLE)).row;
  const u8 bytes[16] = {10, 0, 0, 1};
  EXPECT_EQ(std::memcmp(&row.address, bytes, sizeof bytes), 0);
}

// eth1.100, index 9, over eth1.
Link eth1_100() {
  Link link = eth1();
  link.index = 9;
  link.name = "eth1.100";
  link.kind = "vlan";
  link.mtu = 1496;
  link.mac[5] = 0x64;
  link.vlan = VlanDevice{.parent = 5, .number = 100, .is_8021q = true};
  return link;
}

Network with_vlan(const Link& vlan) {
  Network known = network(NUD_REACHABLE);
  known.take(LinkEvent{.link = vlan});
  known.take(NeighbourEvent{.neighbour = {.interface = 9, .address = rs1, .state = NUD_REACHABLE, .mac = rs1_mac}});
  return known;
}

Route by_vlan() { return {.kind = Route::Kind::unicast, .interface = 9, .gateway = {}, .source = {}, .mtu = 0}; }

TEST(Reach, frames_of_a_vlan_device_leave_tagged_by_its_parent) {
  const Reach reached = reach(rs1, by_vlan(), with_vlan(eth1_100()));
  ASSERT_EQ(reached.row.state, NextHopState::resolved) << reached.words;
  EXPECT_EQ(reached.row.interface, 5U);
  EXPECT_EQ(host(reached.row.vlan), 100U);
  EXPECT_EQ(reached.row.source[5], 0x64);
  EXPECT_EQ(reached.row.mtu, 1496U);
  EXPECT_EQ(reached.neighbour, (NeighbourKey{9, rs1})) << "whom the kernel resolves on the VLAN device";
  EXPECT_EQ(reach(rs1, on_link(), with_vlan(eth1_100())).row.vlan, be16{});
}

TEST(Reach, vlans_that_one_tag_of_802_1q_does_not_make_are_refused) {
  Link service_tag = eth1_100();
  service_tag.vlan->is_8021q = false;
  EXPECT_THAT(reach(rs1, by_vlan(), with_vlan(service_tag)).words, HasSubstr("not of 802.1Q"));
  Link elsewhere = eth1_100();
  elsewhere.vlan->parent = 0;
  EXPECT_THAT(reach(rs1, by_vlan(), with_vlan(elsewhere)).words, HasSubstr("not here"));
  Network nested = with_vlan(eth1_100());
  nested.links[5].vlan = VlanDevice{.parent = 2, .number = 7, .is_8021q = true};
  EXPECT_THAT(reach(rs1, by_vlan(), nested).words, HasSubstr("VLAN of a VLAN"));
}

OwnAddress own(const char* address, bool is_global = true) {
  return {.interface = 5, .address = *model::parse_address(address), .is_global = is_global};
}

TEST(Network, link_has_its_first_global_address_of_each_family) {
  Network known;
  known.take(AddressEvent{.own = own("169.254.0.1", false)});
  known.take(LinkEvent{.link = eth1()});
  EXPECT_FALSE(known.links[5].ipv4);
  known.take(AddressEvent{.own = own("10.0.0.1")});
  known.take(AddressEvent{.own = own("10.0.0.7")});
  known.take(AddressEvent{.own = own("fe80::1", false)});
  known.take(AddressEvent{.own = own("2001:db8::1", false)});  // tentative
  EXPECT_EQ(known.links[5].ipv4, model::parse_address("10.0.0.1"));
  EXPECT_FALSE(known.links[5].ipv6);
  known.take(AddressEvent{.own = own("2001:db8::1")});
  EXPECT_EQ(known.links[5].ipv6, model::parse_address("2001:db8::1"));
  known.take(AddressEvent{.removed = true, .own = own("10.0.0.1")});
  EXPECT_EQ(known.links[5].ipv4, model::parse_address("10.0.0.7"));
  known.take(LinkEvent{.link = eth1()});
  EXPECT_EQ(known.links[5].ipv4, model::parse_address("10.0.0.7")) << "a change of the link leaves its addresses";
  known.take(LinkEvent{.removed = true, .link = eth1()});
  known.take(LinkEvent{.link = eth1()});
  EXPECT_FALSE(known.links[5].ipv4);
}

TEST(Network, a_link_takes_its_neighbours_with_it) {
  Network known = network(NUD_REACHABLE);
  known.take(LinkEvent{.removed = true, .link = eth1()});
  EXPECT_TRUE(known.neighbours.empty());
}

}  // namespace
}  // namespace penstock::control
