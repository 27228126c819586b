#include "cli/ipvsadm_listing.hpp"

#include <gtest/gtest.h>

#include <sstream>

#include "cli/ipvsadm.hpp"
#include "cli/ipvsadm_connections.hpp"
#include "cli/ipvsadm_fake_director.hpp"

namespace penstock::cli {
namespace {

struct CounterCase {
  std::uint64_t value;
  const char* scaled;
  const char* exact;
};

// 107114280: recorded. The borders: IPVS's column holds eight digits.
constexpr CounterCase counter_cases[] = {
    {0, "        0", "        0"},
    {75010, "    75010", "    75010"},
    {99999999, " 99999999", " 99999999"},
    {100000000, "  100000K", " 100000000"},
    {107114280, "  107114K", " 107114280"},
    {999999999, "  999999K", " 999999999"},
    {1000000000, "    1000M", " 1000000000"},
    {99999999999, "   99999M", " 99999999999"},
    {100000000000, "     100G", " 100000000000"},
    {99999999999999, "   99999G", " 99999999999999"},
    {100000000000000, "     100T", " 100000000000000"},
    {UINT64_MAX, " 18446744T", " 18446744073709551615"},
};

TEST(IpvsadmListing, scales_counters) {
  for (const CounterCase& each : counter_cases) {
    EXPECT_EQ(counter_text(each.value, false), each.scaled);
    EXPECT_EQ(counter_text(each.value, true), each.exact);
  }
}

std::string listed(FakeDirector& director, std::vector<std::string> args) {
  args.insert(args.begin(), "ipvsadm");
  std::istringstream in;
  std::ostringstream out;
  std::ostringstream err;
  const FakeNames names;
  EXPECT_EQ(run_ipvsadm(args, in, out, err, director, names), 0);
  EXPECT_EQ(err.str(), "");
  return out.str();
}

api::ServiceView busy_service() {
  api::ServiceView view;
  view.service.key = {.protocol = model::Protocol::udp, .vip = {*model::parse_address("10.1.0.100"), 53}, .fwmark = 0};
  view.statistics = {.connections = 3, .in_packets = 75010, .out_packets = 0, .in_bytes = 107114280, .out_bytes = 0};
  view.rates = {.connections = 1, .in_packets = 2, .out_packets = 3, .in_bytes = 4, .out_bytes = 5};
  api::ServerView server;
  server.server.endpoint = {*model::parse_address("10.2.0.11"), 53};
  server.active = 12;
  server.inactive = 345;
  server.persistent = 6;
  server.statistics = view.statistics;
  server.rates = view.rates;
  view.servers = {server};
  return view;
}

struct ListingCase {
  std::vector<std::string> args;
  const char* rows;  // after the header
};

TEST(IpvsadmListing, prints_counters_and_connections) {
  FakeDirector director;
  director.views = {busy_service()};
  const ListingCase cases[] = {
      {{"-Ln", "--stats"},
       "UDP  10.1.0.100:53                       3    75010        0  107114K        0\n"
       "  -> 10.2.0.11:53                        3    75010        0  107114K        0\n"},
      {{"-Ln", "--stats", "--exact"},
       "UDP  10.1.0.100:53                       3    75010        0 107114280        0\n"
       "  -> 10.2.0.11:53                        3    75010        0 107114280        0\n"},
      {{"-Ln", "--rate"},
       "UDP  10.1.0.100:53                       1        2        3        4        5\n"
       "  -> 10.2.0.11:53                        1        2        3        4        5\n"},
      {{"-Ln"},
       "UDP  10.1.0.100:53 wlc\n"
       "  -> 10.2.0.11:53                 Route   1      12         345       \n"},
      {{"-Ln", "--thresholds"},
       "UDP  10.1.0.100:53 wlc\n"
       "  -> 10.2.0.11:53                 0          0          12         345       \n"},
      {{"-Ln", "--persistent-conn"},
       "UDP  10.1.0.100:53 wlc\n"
       "  -> 10.2.0.11:53                 1         6           12         345       \n"},
  };
  for (const ListingCase& each : cases) {
    const std::string text = listed(director, each.args);
    EXPECT_TRUE(text.ends_with(each.rows)) << text;
  }
}

api::ConnectionView connection(api::ConnectionProtocol protocol, const char* client, std::uint16_t client_port,
                               const char* vip, std::uint16_t port, const char* server, std::uint16_t server_port,
                               const char* state, std::uint32_t expires_s) {
  return {.protocol = protocol,
          .client = {*model::parse_address(client), client_port},
          .vip = {*model::parse_address(vip), port},
          .server = {*model::parse_address(server), server_port},
          .state = state,
          .expires_s = expires_s};
}

// The lines are recorded.
TEST(IpvsadmListing, prints_templates_and_the_states_of_sctp) {
  using enum api::ConnectionProtocol;
  FakeDirector director;
  director.connection_views = {
      connection(ip, "198.51.100.1", 0, "0.0.0.9", 0, "10.2.0.12", 0, "NONE", 299),
      connection(tcp, "198.51.100.1", 0, "10.1.0.100", 65535, "10.2.0.12", 65535, "ASSURED", 299),
      connection(sctp, "198.51.100.1", 1000, "10.1.0.100", 5000, "10.2.0.11", 5000, "S-ACK-SENT", 60),
      connection(tcp, "2001:db8:1:3::", 0, "fd00:1::100", 80, "fd00:2::11", 80, "NONE", 199),
  };
  EXPECT_EQ(listed(director, {"-Lnc"}),
            "IPVS connection entries\n"
            "pro expire state       source             virtual            destination\n"
            "IP  04:59  NONE        198.51.100.1:0     0.0.0.9:0          10.2.0.12:0\n"
            "TCP 04:59  ASSURED     198.51.100.1:0     10.1.0.100:65535   10.2.0.12:65535\n"
            "SCTP 01:00  S-ACK-SENT  198.51.100.1:1000  10.1.0.100:5000    10.2.0.11:5000\n"
            "TCP 03:19  NONE        [2001:db8:1:3::]:0 [fd00:1::100]:80   [fd00:2::11]:80\n");
}

// The lines are recorded.
TEST(IpvsadmListing, prints_connections) {
  using enum api::ConnectionProtocol;
  FakeDirector director;
  director.connection_views = {
      connection(tcp, "10.1.0.100", 57178, "10.1.0.100", 80, "10.2.0.11", 8080, "CLOSE", 9),
      connection(udp, "10.1.0.100", 56908, "10.1.0.100", 53, "10.2.0.12", 53, "UDP", 299),
      connection(tcp, "fd00:1::100", 42954, "fd00:1::100", 443, "fd00:2::11", 443, "CLOSE", 9),
      connection(sctp, "203.0.112.18", 40119, "10.1.0.100", 3868, "10.2.0.12", 3868, "ESTABLISHED", 899),
      connection(tcp, "2001:db8:1:2::1", 1000, "fd00:1::100", 80, "fd00:2::12", 80, "SYN_RECV", 59),
  };
  director.connection_views[4].server.address = *model::parse_address("fd00:2::13");
  EXPECT_EQ(listed(director, {"-Lnc"}),
            "IPVS connection entries\n"
            "pro expire state       source             virtual            destination\n"
            "TCP 00:09  CLOSE       10.1.0.100:57178   10.1.0.100:80      10.2.0.11:8080\n"
            "UDP 04:59  UDP         10.1.0.100:56908   10.1.0.100:53      10.2.0.12:53\n"
            "TCP 00:09  CLOSE       [fd00:1::100]:42954 [fd00:1::100]:443  [fd00:2::11]:443\n"
            "SCTP 14:59  ESTABLISHED 203.0.112.18:40119 10.1.0.100:3868    10.2.0.12:3868\n"
            "TCP 00:59  SYN_RECV    [2001:db8:1:2::1]:1000 [fd00:1::100]:80   [fd00:2::13]:80\n");
  director.connection_views.resize(3);
  EXPECT_EQ(listed(director, {"-L", "-c", "--persistent-conn"}),
            "IPVS connection entries\n"
            "pro expire state       source             virtual            destination        pe name          pe_data\n"
            "TCP 00:09  CLOSE       vip.example:57178  vip.example:http   rs1.example:http-alt\n"
            "UDP 04:59  UDP         vip.example:56908  vip.example:domain "
            "a-real-server-with-a-very-long-name.example:domain\n"
            "TCP 00:09  CLOSE       [vip6.example]:42954 [vip6.example]:https [rs1v6.example]:https\n");
}

}  // namespace
}  // namespace penstock::cli
