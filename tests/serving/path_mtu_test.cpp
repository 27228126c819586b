// Paths that carry less than the client thinks: it is told by the director what fits, and its transfer is completed. Nothing else
// would: the client probes no MTU (net.ipv4.tcp_mtu_probing is 0), so without the message the transfer hangs for good.
#include "tests/serving/exchange.hpp"
#include "tests/serving/method_test.hpp"

namespace penstock::serving {
namespace {

constexpr unsigned wire_mtu = 1500;
constexpr unsigned narrow_mtu = 1400;
constexpr std::uint64_t upload = 10'000'000;

class PathMtu : public MethodTest {
 protected:
  // As servers do that announce what fits their link and not the tunnel: with an MSS that is above all there is.
  void forget_the_tunnel() const {
    for (const char* server : {"rs1", "rs2"})
      must(server, "penstock realserver start --method tunnel --mss 65495 --vip 192.0.2.40 2001:db8:2::40");
  }

  unsigned overhead() const { return GetParam().method.overhead[GetParam().family == Family::ipv4 ? 0 : 1]; }
};

class TunnelMtu : public PathMtu {
 protected:
  void servers_announce_what_fits_and_nobody_has_to_be_told() const {
    exchange("tcp", upload, 1);
    EXPECT_EQ(path_mtu(), 0U);
  }

  void datagrams_are_sent_again_in_pieces_that_fit() const {
    const std::size_t headers = (GetParam().family == Family::ipv4 ? 28 : 48) + sizeof(Request);
    exchange("udp", wire_mtu - headers, 1);
    EXPECT_EQ(path_mtu(), wire_mtu - overhead());
  }

  void client_is_told_what_fits_into_the_tunnel() const {
    must("client", "ip route flush cache; ip -6 route flush cache");
    EXPECT_EQ(path_mtu(), 0U);
    forget_the_tunnel();
    exchange("tcp", upload, 1);
    EXPECT_EQ(path_mtu(), wire_mtu - overhead());
  }
};

TEST_P(TunnelMtu, is_announced_or_told) {
  servers_announce_what_fits_and_nobody_has_to_be_told();
  datagrams_are_sent_again_in_pieces_that_fit();
  client_is_told_what_fits_into_the_tunnel();
}

TEST_P(PathMtu, narrow_link_to_the_servers_is_no_black_hole) {
  narrow_servers_link(narrow_mtu);
  if (overhead() != 0) forget_the_tunnel();
  exchange("tcp", upload, upload);
  // Without a tunnel the servers themselves know their link, and their SYN+ACK says what fits: nobody has to be told.
  if (overhead() != 0) {
    EXPECT_EQ(path_mtu(), narrow_mtu - overhead());
  }
}

std::vector<Case> with_a_link_to_narrow() {
  std::vector<Case> cases;
  for (const char* topology : {"nat", "tunnel", "fullnat"}) {
    for (const Case& c : cases_of(topology)) cases.push_back(c);
  }
  return cases;
}

INSTANTIATE_TEST_SUITE_P(All, TunnelMtu, testing::ValuesIn(cases_of("tunnel")), name_of);
INSTANTIATE_TEST_SUITE_P(All, PathMtu, testing::ValuesIn(with_a_link_to_narrow()), name_of);

}  // namespace
}  // namespace penstock::serving
