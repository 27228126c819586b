#include "lab/network_plan.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "lab/parse_topology.hpp"

namespace penstock::lab {
namespace {

using testing::Contains;
using testing::HasSubstr;
using testing::Not;

Topology topology_of(std::string_view text) {
  auto topology = parse_topology("t.conf", text);
  if (!topology) ADD_FAILURE() << topology.error().message;
  return topology.value_or(Topology{});
}

const Topology two_networks = topology_of(R"(
network front 192.0.2.0/24
network back 10.0.0.0/8 fd00::/64
host director
  role director
  link back 10.0.0.1 fd00::1
  link front 192.0.2.1
  vip 192.0.2.40 198.51.100.1
  run penstockd
host rs1
  role realserver
  link back 10.0.0.32
  vip 192.0.2.40
  gateway 10.0.0.254
  sysctl net.ipv4.conf.all.arp_ignore 0
host gw
  role router
  link back 10.0.0.254
  link front 192.0.2.254
)");

TEST(NetworkPlan, director_takes_a_vip_on_the_link_of_its_network_else_on_eth0) {
  EXPECT_EQ(host_commands(two_networks, two_networks.hosts[0]),
            "link set lo up\n"
            "address add 10.0.0.1/8 dev eth0\n"
            "address add fd00::1/64 dev eth0 nodad\n"
            "link set eth0 up\n"
            "address add 192.0.2.1/24 dev eth1\n"
            "link set eth1 up\n"
            "address add 192.0.2.40/32 dev eth1 label eth1:0\n"
            "address add 198.51.100.1/32 dev eth0 label eth0:1\n");
}

TEST(NetworkPlan, realserver_takes_a_vip_on_lo_and_its_route_last) {
  EXPECT_EQ(host_commands(two_networks, two_networks.hosts[1]),
            "link set lo up\n"
            "address add 10.0.0.32/8 dev eth0\n"
            "link set eth0 up\n"
            "address add 192.0.2.40/32 dev lo label lo:0\n"
            "route add default via 10.0.0.254\n");
}

TEST(NetworkPlan, switch_has_a_bridge_for_each_network_and_a_cable_for_each_link) {
  const std::string commands = switch_commands(two_networks, {{"director", 11}, {"rs1", 12}, {"gw", 13}});
  EXPECT_THAT(commands, HasSubstr("link add br1 type bridge"));
  EXPECT_THAT(commands, HasSubstr("link add director-eth0 type veth peer name eth0 netns 11\n"
                                  "link set director-eth0 master br1 up\n"
                                  "link add director-eth1 type veth peer name eth1 netns 11\n"
                                  "link set director-eth1 master br0 up\n"));
  EXPECT_THAT(commands, HasSubstr("link add gw-eth1 type veth peer name eth1 netns 13\n"));
}

TEST(NetworkPlan, realserver_with_a_vip_is_silent_to_arp_and_the_file_has_the_last_word) {
  const auto settings = host_settings(two_networks, two_networks.hosts[1]);
  EXPECT_THAT(settings, Contains(Setting{"net/ipv4/conf/all/arp_ignore", "1"}));
  EXPECT_THAT(settings, Contains(Setting{"net/ipv4/conf/lo/arp_announce", "2"}));
  EXPECT_EQ(settings.back(), (Setting{"net/ipv4/conf/all/arp_ignore", "0"}));
  EXPECT_THAT(host_settings(two_networks, two_networks.hosts[0]),
              Not(Contains(Setting{"net/ipv4/conf/all/arp_ignore", "1"})));
}

TEST(NetworkPlan, only_a_router_forwards) {
  EXPECT_THAT(host_settings(two_networks, two_networks.hosts[0]), Contains(Setting{"net/ipv4/ip_forward", "0"}));
  EXPECT_THAT(host_settings(two_networks, two_networks.hosts[2]), Contains(Setting{"net/ipv4/ip_forward", "1"}));
}

TEST(NetworkPlan, ipv6_off_reaches_every_host) {
  const Topology off = topology_of("ipv6 off\nnetwork n 10.0.0.0/8\nhost a\nrole client\nlink n 10.0.0.1");
  EXPECT_THAT(host_settings(off, off.hosts[0]), Contains(Setting{"net/ipv6/conf/default/disable_ipv6", "1"}));
  EXPECT_THAT(host_settings(two_networks, two_networks.hosts[0]),
              Contains(Setting{"net/ipv6/conf/default/disable_ipv6", "0"}));
}

TEST(NetworkPlan, hosts_file_names_every_address_and_each_vip_once) {
  EXPECT_EQ(hosts_file(two_networks),
            "127.0.0.1 localhost\n::1 localhost\n"
            "10.0.0.1 director\nfd00::1 director\n192.0.2.1 director\n"
            "10.0.0.32 rs1\n10.0.0.254 gw\n192.0.2.254 gw\n"
            "192.0.2.40 vip\n198.51.100.1 vip\n");
}

}  // namespace
}  // namespace penstock::lab
