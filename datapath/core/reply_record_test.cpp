// The second record of fullnat's connections: what it answers by itself, and when it asks the request.
#include "datapath/core/reply_record.hpp"

#include <gtest/gtest.h>

#include "tests/packets/world.hpp"

namespace penstock {
namespace {

using namespace packets;

constexpr u16 web = 80;
constexpr u16 inside = 8080;
const std::string lip = "10.0.0.2";

struct ReplyRecord : ::testing::Test, World {
  ReplyRecord() {
    director.add_local_address(lip);
    const u32 rs = add_rs(11, Method::fullnat, {.port = inside});
    for (const u8 protocol : {u8{6}, u8{17}}) director.add_service({vip, web, protocol}, {rs});
  }

  // What leaves for the real server; its local port is ours.
  void request(const Frame& frame) {
    const Bytes sent = send(frame).frame;
    port = static_cast<u16>(sent.at(34) << 8 | sent.at(35));
  }
  Frame answer() const { return from_rs(11).ipv4(rip(11), lip); }
  void answer_tcp(u8 flags) {
    expect_frame(reply(answer().tcp(inside, port, flags)), back().tcp(web, 1, flags), outer_link);
  }
  void answer_udp() { expect_frame(reply(answer().udp(inside, port)), back().udp(web, 1), outer_link); }
  static Frame back() { return to_client().ipv4(vip, client, {.ttl = 63}); }

  void handshake() {
    request(in4().tcp(1, web, syn));
    answer_tcp(syn | ack);
    (void)send(in4().tcp(1, web, ack));
    for (int i = 0; i < 3; ++i) answer_tcp(ack);
  }
  TcpState state(Role role = Role::request) { return static_cast<TcpState>(state_bits(record(1, role).word)); }

  u16 port = 0;
};

TEST_F(ReplyRecord, is_the_connection_again_and_ends_with_it) {
  handshake();
  const Connection first = record(1);
  const Connection second = record(1, Role::reply);
  EXPECT_EQ(second.key.client.low, first.key.client.low);
  EXPECT_EQ(second.key.vip.low, first.key.vip.low);
  EXPECT_EQ(second.local_port, first.local_port);
  EXPECT_EQ(second.detail, first.detail);
  EXPECT_EQ(state(Role::reply), TcpState::established);
  (void)send(in4().tcp(1, web, rst));
  (void)send(in4().tcp(1, web, syn));
  EXPECT_EQ(records(Role::reply), 1U) << "the former one's is gone";
  expect_order();
}

TEST_F(ReplyRecord, answers_for_four_seconds_without_the_request) {
  handshake();
  const u64 before = record(1).word;
  now += 4 * hz;
  for (int i = 0; i < 100; ++i) answer_tcp(ack);
  EXPECT_EQ(record(1).word, before);
  ++now;
  answer_tcp(ack);
  EXPECT_EQ(static_cast<u32>(record(1).word), now + 900 * hz) << "and then it is renewed";
  EXPECT_EQ(static_cast<u32>(record(1, Role::reply).word), now + 900 * hz);
}

TEST_F(ReplyRecord, takes_a_change_to_the_request_at_once) {
  handshake();
  answer_tcp(fin | ack);
  EXPECT_EQ(state(), TcpState::fin_wait);
  EXPECT_EQ(state(Role::reply), TcpState::fin_wait);
  (void)send(in4().tcp(1, web, fin | ack));
  EXPECT_EQ(state(), TcpState::time_wait);
}

TEST_F(ReplyRecord, learns_in_four_seconds_what_the_client_changed) {
  handshake();
  (void)send(in4().tcp(1, web, rst));
  answer_tcp(ack);
  EXPECT_EQ(state(Role::reply), TcpState::established);
  now += 4 * hz + 1;
  answer_tcp(ack);
  EXPECT_EQ(state(Role::reply), TcpState::close);
  pass_seconds(11);
  EXPECT_EQ(reply(answer().tcp(inside, port, ack)).verdict, Verdict::pass) << "the connection is over";
}

TEST_F(ReplyRecord, replies_alone_keep_the_connection) {
  request(in4().udp(1, web));
  for (u32 i = 0; i < 200; ++i) {
    pass_seconds(10);
    answer_udp();
  }
  const u16 before = port;
  request(in4().udp(1, web));
  EXPECT_EQ(port, before);
  EXPECT_EQ(records(Role::request), 1U);
}

TEST_F(ReplyRecord, replies_alone_keep_a_connection_of_a_second) {
  machine_of(settings(), Machine::udp).timeout[0] = hz;
  request(in4().udp(1, web));
  for (u32 i = 0; i < 100; ++i) {
    now += hz * 3 / 4;
    answer_udp();
  }
}

TEST_F(ReplyRecord, a_client_that_moved_is_answered_where_it_is) {
  handshake();
  const Mac moved{2, 0, 0, 0, 0, 0xc2};
  (void)send(eth(moved, director_mac).ipv4(client, vip).tcp(1, web, ack));
  EXPECT_EQ(reply(answer().tcp(inside, port, ack)).frame,
            eth(director_mac, moved).ipv4(vip, client, {.ttl = 63}).tcp(web, 1, ack).bytes());
}

TEST_F(ReplyRecord, knows_the_tag_of_the_clients_vlan) {
  request(from_client().vlan(7).ipv4(client, vip).udp(1, web));
  for (int i = 0; i < 4; ++i)
    expect_frame(reply(answer().udp(inside, port)), to_client().vlan(7).ipv4(vip, client, {.ttl = 63}).udp(web, 1),
                 outer_link);
}

}  // namespace
}  // namespace penstock
