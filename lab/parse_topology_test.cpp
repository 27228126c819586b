#include "lab/parse_topology.hpp"

#include <gtest/gtest.h>

#include <string>

#include "lab/process.hpp"

namespace penstock::lab {
namespace {

std::string error_of(std::string_view text) {
  const auto topology = parse_topology("t.conf", text);
  return topology ? "parsed" : topology.error().message;
}

model::Address address(std::string_view text) { return *model::parse_address(text); }

TEST(ParseTopology, reads_every_statement) {
  const auto topology = parse_topology("t.conf", R"(# a comment
network lan 172.16.0.0/16 fd00:16::/64
network back 10.0.0.0/8
ipv6 off
say Look here.
host edge   # trailing
  role realserver
  link lan 172.16.0.32 fd00:16::32
	link back 10.1.2.3
  vip 172.16.0.40
  vip 172.16.0.41 fd00:16::40
  gateway 172.16.0.1
  page Hello,  two blanks
  listen 80 8080
  bulk 8M
  sysctl net.ipv4.tcp_syncookies 0
  sysctl net/ipv4/conf/eth0.5/arp_ignore 1
  setup ip link add t type ipip
  run prog --flag x
  then ipvsadm -A -t [fd00::1]:80  -s rr
  forward 8040 172.16.0.40:80
  forward 0 [fd00:16::40]:65535 https://localhost:1/x
  xdp-port
)");
  ASSERT_TRUE(topology) << topology.error().message;
  EXPECT_FALSE(topology->ipv6);
  EXPECT_EQ(topology->remarks, std::vector<std::string>{"Look here."});
  ASSERT_EQ(topology->networks.size(), 2U);
  EXPECT_EQ(topology->networks[0].prefixes[1].length, 64U);
  ASSERT_EQ(topology->hosts.size(), 1U);
  const Host& host = topology->hosts[0];
  EXPECT_EQ(host.name, "edge");
  EXPECT_EQ(host.role, Role::realserver);
  ASSERT_EQ(host.links.size(), 2U);
  EXPECT_EQ(host.links[0].addresses[1], address("fd00:16::32"));
  EXPECT_EQ(host.links[1].network, "back");
  EXPECT_EQ(host.vips.size(), 3U);
  EXPECT_EQ(host.gateways.at(0), address("172.16.0.1"));
  EXPECT_EQ(host.page, "Hello,  two blanks");
  EXPECT_EQ(host.ports, (std::vector<std::uint16_t>{80, 8080}));
  EXPECT_EQ(host.bulk_bytes, 8U << 20);
  EXPECT_EQ(host.settings,
            (std::vector<Setting>{{"net/ipv4/tcp_syncookies", "0"}, {"net/ipv4/conf/eth0.5/arp_ignore", "1"}}));
  EXPECT_EQ(host.setups.at(0), "ip link add t type ipip");
  EXPECT_EQ(host.daemons.at(0), "prog --flag x");
  EXPECT_EQ(host.thens.at(0), "ipvsadm -A -t [fd00::1]:80  -s rr");
  ASSERT_EQ(host.forwards.size(), 2U);
  EXPECT_EQ(host.forwards[0].port, 8040);
  EXPECT_EQ(host.forwards[0].to, (model::Endpoint{address("172.16.0.40"), 80}));
  EXPECT_EQ(host.forwards[0].url, "");
  EXPECT_EQ(host.forwards[1].to, (model::Endpoint{address("fd00:16::40"), 65535}));
  EXPECT_EQ(host.forwards[1].url, "https://localhost:1/x");
  EXPECT_TRUE(host.xdp_port);
}

TEST(ParseTopology, director_has_an_xdp_port_and_a_client_has_none) {
  const auto topology = parse_topology("t.conf",
                                       "network n 10.0.0.0/8\n"
                                       "host d\nrole director\nlink n 10.0.0.1\n"
                                       "host c\nrole client\nlink n 10.0.0.2");
  ASSERT_TRUE(topology) << topology.error().message;
  EXPECT_TRUE(topology->hosts[0].xdp_port);
  EXPECT_FALSE(topology->hosts[1].xdp_port);
}

struct BadTopology {
  std::string_view name;
  std::string_view text;
  std::string_view error;
};

const BadTopology bad_topologies[] = {
    {"empty", "", "t.conf: no host is declared"},
    {"only_a_comment", "# host a\n", "t.conf: no host is declared"},
    {"unknown_statement", "\n  hots a\n", "t.conf:2:3: 'hots' is not a statement"},
    {"statement_outside_a_host", "role client", "t.conf:1:1: 'role' belongs to a host, and none is declared yet"},
    {"nothing_after_keyword", "host # c", "t.conf:1:5: 'host' needs a name"},
    {"name_in_capitals", "host RS1",
     "t.conf:1:6: 'RS1' is not a name: a letter, then letters, digits and -, at most 10"},
    {"name_of_eleven", "host abcdefghijk",
     "t.conf:1:6: 'abcdefghijk' is not a name: a letter, then letters, digits and -, at most 10"},
    {"name_taken", "host switch", "t.conf:1:6: 'switch' is taken"},
    {"two_words_for_one", "host a b", "t.conf:1:8: one word is enough after 'host'"},
    {"network_twice", "network n 10.0.0.0/8\nnetwork n 11.0.0.0/8", "t.conf:2:9: network 'n' is declared twice"},
    {"network_without_prefix", "network n", "t.conf:1:10: 'network' needs a prefix such as 172.16.0.0/16"},
    {"prefix_too_long", "network n 10.0.0.0/33", "t.conf:1:11: '10.0.0.0/33' is not a prefix"},
    {"prefix_without_length", "network n 10.0.0.0", "t.conf:1:11: '10.0.0.0' is not a prefix"},
    {"ipv6_maybe", "ipv6 maybe", "t.conf:1:6: ipv6 is 'on' or 'off'"},
    {"host_without_role", "network n 10.0.0.0/8\nhost a\nlink n 10.0.0.1\nhost b", "t.conf:2:1: host 'a' has no role"},
    {"last_host_without_link", "host a\nrole client\n", "t.conf:1:1: host 'a' has no link"},
    {"unknown_role", "host a\nrole backend",
     "t.conf:2:6: 'backend' is not a role: client, director, realserver, server, router"},
    {"role_twice", "host a\nrole client\nrole client", "t.conf:3:1: its role stands on line 2 already"},
    {"unknown_network", "host a\n  link wan 10.0.0.1", "t.conf:2:8: network 'wan' is not declared"},
    {"link_without_address", "network n 10.0.0.0/8\nhost a\n  link n", "t.conf:3:9: 'link' needs an address"},
    {"not_an_address", "network n 10.0.0.0/8\nhost a\nlink n 10.0.0.256", "t.conf:3:8: '10.0.0.256' is not an address"},
    {"address_just_outside", "network n 10.0.0.0/9\nhost a\nlink n 10.128.0.0",
     "t.conf:3:8: 10.128.0.0 is not in network 'n'"},
    {"address_twice", "network n 10.0.0.0/8\nhost a\nrole client\nlink n 10.0.0.1\nhost b\nlink n 10.0.0.1",
     "t.conf:6:8: 10.0.0.1 is a's already"},
    {"vip_before_role", "host a\nvip 10.0.0.1", "t.conf:2:1: the role comes first: it says where a VIP goes"},
    {"vip_of_a_client", "host a\nrole client\nvip 10.0.0.1", "t.conf:3:1: a client has no VIP"},
    {"port_0", "host a\nlisten 80 0", "t.conf:2:11: '0' is not a port"},
    {"port_65536", "host a\nlisten 65536", "t.conf:2:8: '65536' is not a port"},
    {"bulk_above_the_bound", "host a\nbulk 1025M", "t.conf:2:6: '1025M' is not a size from 1 to 1024M"},
    {"bulk_without_page", "network n 10.0.0.0/8\nhost a\nrole client\nlink n 10.0.0.1\nbulk 1M",
     "t.conf:2:1: host 'a' has a bulk file but no page"},
    {"sysctl_without_value", "host a\nsysctl net.ipv4.ip_forward", "t.conf:2:27: 'sysctl' needs a value"},
    {"forward_to_nowhere", "host a\nforward 8040",
     "t.conf:2:13: 'forward' needs where it leads to, such as 192.0.2.40:80"},
    {"forward_from_port_65536", "host a\nforward 65536 10.0.0.1:80", "t.conf:2:9: '65536' is not a port"},
    {"forward_to_no_port", "host a\nforward 1 10.0.0.1", "t.conf:2:11: '10.0.0.1' is not an address with a port"},
    {"forward_to_port_0", "host a\nforward 1 10.0.0.1:0", "t.conf:2:11: '10.0.0.1:0' is not an address with a port"},
    {"forward_to_ipv6_without_brackets", "host a\nforward 1 fd00::1:80",
     "t.conf:2:11: 'fd00::1:80' is not an address with a port"},
    {"forward_to_ipv4_in_brackets", "host a\nforward 1 [10.0.0.1]:80",
     "t.conf:2:11: '[10.0.0.1]:80' is not an address with a port"},
    {"forward_with_a_word_for_a_url", "host a\nforward 1 10.0.0.1:80 wp-admin", "t.conf:2:23: 'wp-admin' is not a URL"},
    {"forward_with_too_much", "host a\nforward 1 10.0.0.1:80 http://a b", "t.conf:2:32: nothing follows the URL"},
    {"xdp_port_with_argument", "host a\nxdp-port on", "t.conf:2:10: 'xdp-port' stands alone"},
    {"windows_line_ends_still_count", "\r\nhots a\r\n", "t.conf:2:1: 'hots' is not a statement"},
};

class ParseTopologyRefuses : public testing::TestWithParam<BadTopology> {};

TEST_P(ParseTopologyRefuses, with_the_position) { EXPECT_EQ(error_of(GetParam().text), GetParam().error); }

INSTANTIATE_TEST_SUITE_P(topologies, ParseTopologyRefuses, testing::ValuesIn(bad_topologies),
                         [](const auto& test) { return std::string(test.param.name); });

TEST(ParseTopology, takes_the_largest_bulk_file_and_the_last_port) {
  EXPECT_EQ(
      error_of("network n 10.0.0.0/8\nhost a\nrole client\nlink n 10.255.255.255\npage x\nbulk 1024M\nlisten 65535"),
      "parsed");
}

TEST(ParseTopology, bounds_the_number_of_hosts) {
  std::string text = "network n 10.0.0.0/8\n";
  const auto add_host = [&](std::size_t i) {
    text += "host h" + std::to_string(i) + "\nrole client\nlink n 10.0.0." + std::to_string(i) + "\n";
  };
  for (std::size_t i = 0; i < hosts_max; ++i) add_host(i);
  EXPECT_EQ(error_of(text), "parsed");
  add_host(hosts_max);
  EXPECT_EQ(error_of(text), "t.conf:194:6: more than 64 hosts");
}

TEST(ParseTopology, shipped_topologies_have_a_director_with_a_vip_of_each_family) {
  for (const char* name : {"direct", "direct-two-routers", "nat", "tunnel", "fullnat"}) {
    const std::string path = std::string(PENSTOCK_SOURCE_DIR) + "/lab/topologies/" + name + ".conf";
    const auto text = read_file(path);
    ASSERT_TRUE(text) << path;
    const auto topology = parse_topology(path, *text);
    ASSERT_TRUE(topology) << topology.error().message;
    const Host* director = find_host(*topology, "director");
    ASSERT_NE(director, nullptr) << name;
    ASSERT_EQ(director->vips.size(), 2U) << name;
    EXPECT_NE(director->vips[0].family, director->vips[1].family) << name;
  }
}

}  // namespace
}  // namespace penstock::lab
