#include "cli/ipvsadm_order.hpp"

#include <gtest/gtest.h>

namespace penstock::cli {
namespace {

model::Endpoint endpoint(const char* address, std::uint16_t port) { return {*model::parse_address(address), port}; }

api::ServiceView service(model::Protocol protocol, const char* address, std::uint16_t port) {
  api::ServiceView view;
  view.service.key = {.protocol = protocol, .vip = endpoint(address, port), .fwmark = 0};
  return view;
}

api::ServiceView marked(std::uint32_t fwmark, model::Family family) {
  api::ServiceView view;
  view.service.key.fwmark = fwmark;
  view.service.key.vip.address.family = family;
  return view;
}

std::vector<std::string> words(const std::vector<api::ServiceView>& views) {
  std::vector<std::string> result;
  for (const api::ServiceView& view : views) result.push_back(model::to_string(view.service.key));
  return result;
}

api::ServerView server(const char* address, std::uint16_t port) {
  api::ServerView view;
  view.server.endpoint = endpoint(address, port);
  return view;
}

std::vector<std::string> words(const std::vector<api::ServerView>& views) {
  std::vector<std::string> result;
  for (const api::ServerView& view : views) result.push_back(model::to_string(view.server.endpoint));
  return result;
}

using Words = std::vector<std::string>;

// Both lists: from ipvsadm 1.31, with --nosort and without.
TEST(IpvsadmOrder, goes_round_in_circles_as_ipvsadm_does) {
  using enum model::Protocol;
  std::vector<api::ServiceView> services = {
      service(udp, "203.0.113.1", 80),
      service(udp, "10.0.0.1", 80),
      service(tcp, "10.0.0.1", 79),
      service(tcp, "fd00::2", 80),
      service(tcp, "fd00::1", 81),
      service(tcp, "::1", 80),
      service(tcp, "fd00::1", 80),
      service(tcp, "1.1.1.1", 80),
      service(tcp, "192.168.0.1", 80),
      service(tcp, "100.0.0.1", 80),
      service(tcp, "203.0.113.1", 80),
      service(tcp, "10.0.0.1", 80),
      service(tcp, "2001:db8::1", 80),
      service(sctp, "203.0.113.1", 80),
      service(sctp, "10.0.0.1", 80),
      service(tcp, "10.0.0.1", 443),
      marked(3000000000, model::Family::ipv4),
      marked(1, model::Family::ipv6),
      marked(2, model::Family::ipv4),
      marked(4, model::Family::ipv6),
      marked(5, model::Family::ipv4),
      marked(2147483647, model::Family::ipv4),
  };
  sort_services(services);
  EXPECT_EQ(words(services), (Words{"fwmark 3000000000",  "tcp 1.1.1.1:80",       "tcp 10.0.0.1:79",
                                    "tcp 10.0.0.1:80",    "tcp 10.0.0.1:443",     "tcp 100.0.0.1:80",
                                    "tcp 192.168.0.1:80", "tcp 203.0.113.1:80",   "udp 203.0.113.1:80",
                                    "udp 10.0.0.1:80",    "sctp 203.0.113.1:80",  "sctp 10.0.0.1:80",
                                    "tcp [fd00::1]:80",   "tcp [fd00::1]:81",     "tcp [fd00::2]:80",
                                    "tcp [::1]:80",       "tcp [2001:db8::1]:80", "fwmark 1 ipv6",
                                    "fwmark 2",           "fwmark 4 ipv6",        "fwmark 5",
                                    "fwmark 2147483647"}));

  std::vector<api::ServerView> servers = {server("1.1.1.1", 80),     server("10.0.0.5", 70),  server("10.0.0.5", 90),
                                          server("192.168.7.7", 80), server("100.0.0.5", 80), server("203.0.113.9", 80),
                                          server("10.0.0.5", 80)};
  sort_servers(servers);
  EXPECT_EQ(words(servers), (Words{"1.1.1.1:80", "10.0.0.5:70", "10.0.0.5:90", "100.0.0.5:80", "192.168.7.7:80",
                                   "203.0.113.9:80", "10.0.0.5:80"}));
}

TEST(IpvsadmOrder, mixes_families_of_servers_by_their_first_words) {
  std::vector<api::ServerView> servers = {server("::5", 443), server("2001:db8::5", 443), server("10.0.0.5", 443),
                                          server("fd00:2::1", 443)};
  sort_servers(servers);
  EXPECT_EQ(words(servers), (Words{"[fd00:2::1]:443", "[::5]:443", "10.0.0.5:443", "[2001:db8::5]:443"}));
}

}  // namespace
}  // namespace penstock::cli
