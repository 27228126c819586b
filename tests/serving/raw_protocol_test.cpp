// Protocols beside TCP and UDP, by packets that this program writes itself: no kernel with SCTP or IPsec is needed at the ends.
#include <array>

#include "tests/serving/method_test.hpp"
#include "tests/serving/raw_packet.hpp"

namespace penstock::serving {
namespace {

constexpr std::array sizes{1U, 1000U};

class Sctp : public MethodTest {};
class Ipsec : public MethodTest {};

TEST_P(Sctp, handshake_and_data_are_answered_with_right_checksums) {
  add_service(sctp);
  if (is_over()) return;
  const unsigned port = GetParam().method.maps_ports ? sctp.mapped : sctp.service;
  for (const char* server : {"rs1", "rs2"}) must(server, "raw_peer serve sctp " + std::to_string(port));
  for (const unsigned size : sizes) {
    must("client", "raw_peer ask sctp " + at_.vip + " " + std::to_string(sctp.service) + " " + std::to_string(size));
  }
}

// IPVS: ip_vs_proto_ah_esp. They have no ports, and go where the key exchange (UDP, port 500 on both sides) of the same client went,
// and nowhere without one.
TEST_P(Ipsec, follows_the_key_exchange_to_its_server) {
  add_service(isakmp);
  if (is_over()) return;
  for (const char* protocol : {"ah", "esp"}) {
    for (const char* server : {"rs1", "rs2"}) must(server, std::string("raw_peer serve ") + protocol);
  }
  const lab::Outcome early = cluster_.on("client", "raw_peer ask esp " + at_.vip + " 8");
  EXPECT_EQ(early.exit_status, 1);
  EXPECT_NE(early.output.find("no answer"), std::string::npos) << early.output;
  must("client", "exchange udp " + at_.vip + " 500 1 1 500");
  for (const char* protocol : {"ah", "esp"}) {
    for (const unsigned size : sizes) {
      must("client", std::string("raw_peer ask ") + protocol + " " + at_.vip + " " + std::to_string(size));
    }
  }
}

INSTANTIATE_TEST_SUITE_P(All, Sctp, testing::ValuesIn(each_family(methods())), name_of);
// Full NAT has only ports to tell clients apart by.
std::vector<Case> all_but_fullnat() {
  std::vector<Case> cases = each_family(methods());
  std::erase_if(cases, [](const Case& c) { return c.method.topology == "fullnat"; });
  return cases;
}

INSTANTIATE_TEST_SUITE_P(All, Ipsec, testing::ValuesIn(all_but_fullnat()), name_of);

TEST(RawPacket, damaged_sctp_is_not_read) {
  // One changed bit is noticed.
  Bytes bytes = write_sctp({.source = 1, .destination = 2, .tag = 3, .chunk = sctp_init, .value = Bytes(16)});
  ASSERT_TRUE(read_sctp(bytes));
  bytes.back() ^= std::byte{1};
  EXPECT_FALSE(read_sctp(bytes));
}

}  // namespace
}  // namespace penstock::serving
