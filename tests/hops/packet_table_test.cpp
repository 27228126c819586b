#include "tests/hops/packet_table.hpp"

#include <gmock/gmock.h>

#include "tests/packets/frame.hpp"

namespace penstock::hops {
namespace {

using packets::ack;
using packets::eth;
using packets::Frame;
using packets::IpFields;
using packets::Mac;
using packets::syn;
using testing::HasSubstr;

constexpr Mac client{2, 0, 0, 0, 0, 1};
constexpr Mac director{2, 0, 0, 0, 0, 2};
constexpr Mac server{2, 0, 0, 0, 0, 3};
constexpr std::uint16_t client_port = 40001;
constexpr std::uint32_t client_begins_at = 1000;
constexpr std::uint32_t server_begins_at = 5000;

struct Sent {
  std::uint64_t time_ns;
  Frame frame;
};

NetworkCapture on(const std::string& network, const std::vector<Sent>& frames) {
  NetworkCapture capture{.network = network, .frames = {}};
  for (const Sent& sent : frames) capture.frames.push_back({sent.time_ns, sent.frame.bytes()});
  return capture;
}

Frame request(const Frame& under, std::uint16_t to_port, std::uint8_t flags) {
  const bool is_first = flags == syn;
  return under.tcp(client_port, to_port, flags,
                   {.sequence = is_first ? client_begins_at : client_begins_at + 1,
                    .acknowledgement = is_first ? 0 : server_begins_at + 1});
}

Frame answer(const Frame& under, std::uint16_t from_port) {
  return under.tcp(from_port, client_port, syn | ack,
                   {.sequence = server_begins_at, .acknowledgement = client_begins_at + 1});
}

const Frame to_director = eth(client, director).ipv4("192.0.2.10", "192.0.2.40");
const Frame to_server = eth(director, server).ipv4("192.0.2.10", "10.0.0.32", {.ttl = 63});
const Frame from_server = eth(server, director).ipv4("10.0.0.32", "192.0.2.10");
const Frame to_client = eth(director, client).ipv4("192.0.2.40", "192.0.2.10", {.ttl = 63});

// nat, its networks' captures each by itself.
std::vector<NetworkCapture> nat_captures() {
  return {on("lan",
             {{2, request(to_server, 8080, syn)}, {3, answer(from_server, 8080)}, {6, request(to_server, 8080, ack)}}),
          on("wan", {{1, request(to_director, 80, syn)},
                     {4, answer(to_client, 80)},
                     {5, request(to_director, 80, ack)},
                     {7, request(to_director, 80, packets::psh | ack).payload(8)},
                     {8, eth(client, director).ethertype(0x0806).payload(28)}})};
}

TableOptions nat_options() {
  return {.title = "nat",
          .hosts = {{"02:00:00:00:00:01", "client"}, {"02:00:00:00:00:02", "director"}, {"02:00:00:00:00:03", "rs1"}},
          .known_ports = {80, 8080}};
}

TEST(Handshake, is_told_in_the_order_of_time_with_what_each_hop_changed) {
  const auto handshake = find_handshake(nat_captures());
  ASSERT_TRUE(handshake) << handshake.error().message;
  EXPECT_EQ(packet_table(*handshake, nat_options()),
            R"(nat

     network  Ethernet           IP                                 TTL  bytes  changed
SYN
  1  wan      client → director  192.0.2.10:CPORT → 192.0.2.40:80    64     40
  2  lan      director → rs1     192.0.2.10:CPORT → 10.0.0.32:8080   63     40  MAC, destination, TTL
SYN+ACK
  3  lan      rs1 → director     10.0.0.32:8080 → 192.0.2.10:CPORT   64     40
  4  wan      director → client  192.0.2.40:80 → 192.0.2.10:CPORT    63     40  MAC, source, TTL
ACK
  5  wan      client → director  192.0.2.10:CPORT → 192.0.2.40:80    64     40
  6  lan      director → rs1     192.0.2.10:CPORT → 10.0.0.32:8080   63     40  MAC, destination, TTL
)");
}

TEST(Handshake, in_a_tunnel_has_a_line_for_each_header) {
  const auto inside = [](std::uint8_t flags) {
    const Frame inner = request(eth(client, server).ipv6("2001:db8::1", "2001:db8::40", {.ttl = 63}), 80, flags);
    return eth(director, server).ipv4("192.0.2.31", "10.0.0.32", {.ttl = 63}).protocol(41).payload(inner.packet());
  };
  const Frame plain = eth(client, director).ipv6("2001:db8::1", "2001:db8::40");
  const Frame back = answer(eth(server, client).ipv6("2001:db8::40", "2001:db8::1"), 80);
  const auto handshake = find_handshake({on(
      "lan",
      {{1, request(plain, 80, syn)}, {2, inside(syn)}, {3, back}, {4, request(plain, 80, ack)}, {5, inside(ack)}})});
  ASSERT_TRUE(handshake) << handshake.error().message;
  EXPECT_THAT(packet_table(*handshake, nat_options()), HasSubstr(R"(
  1  lan      client → director  [2001:db8::1]:CPORT → [2001:db8::40]:80     64     60
  2  lan      director → rs1     192.0.2.31 → 10.0.0.32, IPIP                63     80  MAC, this header is new
                                   [2001:db8::1]:CPORT → [2001:db8::40]:80   63     60  TTL
)"));
}

TEST(Handshake, is_waited_for_until_the_last_hop) {
  auto captures = nat_captures();
  captures[0].frames.pop_back();
  const auto handshake = find_handshake(captures);
  ASSERT_FALSE(handshake);
  EXPECT_EQ(handshake.error().code, ErrorCode::not_found);
}

TEST(Handshake, with_a_wrong_checksum_is_refused) {
  auto captures = nat_captures();
  captures[0].frames[0].bytes.back() ^= 1;
  const auto handshake = find_handshake(captures);
  ASSERT_FALSE(handshake);
  EXPECT_THAT(handshake.error().message, HasSubstr("wrong checksum on lan"));
}

TEST(Handshake, that_was_sent_again_is_refused) {
  auto captures = nat_captures();
  captures[1].frames.insert(captures[1].frames.begin(), captures[1].frames.front());
  const auto handshake = find_handshake(captures);
  ASSERT_FALSE(handshake);
  EXPECT_THAT(handshake.error().message, HasSubstr("SYN was sent again on wan"));
}

}  // namespace
}  // namespace penstock::hops
