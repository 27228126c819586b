#include "lab/guide.hpp"

#include <gtest/gtest.h>

#include "lab/parse_topology.hpp"

namespace penstock::lab {
namespace {

const Topology pair = parse_topology("t.conf", R"(
network lan 172.16.0.0/16 fd00::/64
host director
  role director
  link lan 172.16.0.31 fd00::31
  vip 172.16.0.40 fd00::40
host client
  role client
  link lan 172.16.0.10
)")
                          .value_or(Topology{});

TEST(Guide, names_hosts_and_vips_as_they_are_in_this_topology) {
  EXPECT_EQ(what_to_type(pair, {.command = "penstock lab --name x", .urls = {"http://127.0.0.1:8040/"}}),
            R"(In your browser, too: http://127.0.0.1:8040/
Go on:
  penstock lab --name x view   # the hosts and what flows between them
  penstock lab --name x exec client curl http://172.16.0.40/
  penstock lab --name x exec client curl 'http://[fd00::40]/'
  penstock lab --name x exec director ipvsadm -Ln
  penstock lab --name x exec client   # a shell there
  penstock lab --name x down
)");
}

TEST(Guide, says_what_the_topology_says) {
  Topology remarked = pair;
  remarked.remarks = {"Look at docs/x.md"};
  EXPECT_EQ(what_to_type(remarked, {.command = "lab", .urls = {"http://127.0.0.1:1/"}}).substr(0, 72),
            "In your browser, too: http://127.0.0.1:1/\nLook at docs/x.md\nGo on:\n  lab");
}

TEST(Guide, says_nothing_of_what_a_topology_lacks) {
  const auto alone = parse_topology("t.conf", "network n 10.0.0.0/8\nhost a\nrole router\nlink n 10.0.0.1");
  ASSERT_TRUE(alone);
  EXPECT_EQ(what_to_type(*alone, {.command = "lab", .urls = {}}),
            "Go on:\n  lab view   # the hosts and what flows between them\n"
            "  lab exec a   # a shell there\n  lab down\n");
}

TEST(HostTable, columns_are_as_wide_as_what_stands_in_them) {
  EXPECT_EQ(host_table(pair, {"PID", "11", "12", "dead"}),
            R"(HOST      ROLE      ADDRESS               VIP                   PID
director  director  172.16.0.31 fd00::31  172.16.0.40 fd00::40  11
client    client    172.16.0.10                                 12
switch    switch                                                dead
)");
}

}  // namespace
}  // namespace penstock::lab
