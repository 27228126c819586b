// Real servers that are the director itself: requests go to its kernel, whose replies are seen on their way out.
#include "datapath/core/own_reply.hpp"

#include <gtest/gtest.h>

#include "tests/packets/world.hpp"

namespace penstock {
namespace {

using namespace packets;

constexpr u16 web = 80;
constexpr u16 inside = 8080;

struct Local : World {
  explicit Local(Method method, const std::string& address = inner_address, u16 port = 0) {
    const u32 hop = add_hop(11, 1500, NextHopState::local);
    rs = director.add_server({.address = address, .next_hop = hop, .method = method, .port = port});
    for (const u8 protocol : {u8{6}, u8{17}}) director.add_service({vip, web, protocol}, {rs});
  }
  Bytes leave(const Bytes& frame) { return process_own(tables(), frame, now); }
  [[nodiscard]] TcpState state() { return static_cast<TcpState>(state_of(record(40000).word)); }
  [[nodiscard]] const ServerCounters& counters() { return tables().counters[rs * tables().config.cpus]; }
  u32 rs = 0;
};

Frame out4(const std::string& from) { return to_client().ipv4(from, client); }

TEST(OwnReply, moves_the_connections_state_and_counts_and_leaves_as_it_is) {
  for (const Method method : {Method::direct, Method::tunnel}) {
    Local world(method);
    EXPECT_EQ(world.send(in4().tcp(40000, web, syn)).verdict, Verdict::pass);
    EXPECT_EQ(world.state(), TcpState::syn_recv);
    const Frame reset = out4(vip).tcp(web, 40000, rst | ack);
    EXPECT_EQ(world.leave(reset), reset.bytes());
    EXPECT_EQ(world.state(), TcpState::close);
    EXPECT_EQ(world.counters().out_packets, 1U);
    EXPECT_EQ(world.counters().out_bytes, 40U);
  }
}

TEST(OwnReply, both_sides_are_seen_from_then_on) {
  Local world(Method::direct);
  (void)world.send(in4().tcp(40000, web, syn));
  (void)world.leave(out4(vip).tcp(web, 40000, syn | ack));
  (void)world.send(in4().tcp(40000, web, ack));
  EXPECT_EQ(world.state(), TcpState::established);
  (void)world.send(in4().tcp(40000, web, fin | ack));
  EXPECT_EQ(world.state(), TcpState::close_wait) << "one-sided, it would be FIN_WAIT";
  (void)world.leave(out4(vip).tcp(web, 40000, fin | ack));
  EXPECT_EQ(world.state(), TcpState::time_wait);
}

TEST(OwnReply, nat_to_an_own_address_is_rewritten_both_ways) {
  Local world(Method::nat, inner_address, inside);
  const PacketResult request = world.send(in4().tcp(40000, web, syn));
  EXPECT_EQ(request.verdict, Verdict::pass);
  EXPECT_EQ(request.frame, from_client().ipv4(client, inner_address).tcp(40000, inside, syn).bytes());
  EXPECT_EQ(world.leave(out4(inner_address).tcp(inside, 40000, syn | ack)),
            out4(vip).tcp(web, 40000, syn | ack).bytes());
  EXPECT_EQ(world.counters().out_packets, 1U);
  EXPECT_EQ(world.state(), TcpState::syn_recv);
  (void)world.send(in4().tcp(40000, web, ack));
  EXPECT_EQ(world.state(), TcpState::established);
}

TEST(OwnReply, nat_to_a_loopback_address_is_dropped) {
  Local world(Method::nat, "127.0.0.1", inside);
  EXPECT_EQ(world.send(in4().tcp(40000, web, syn)).verdict, Verdict::drop);
  world.expect_counted(Reason::loopback_server);
}

TEST(OwnReply, what_is_of_no_connection_or_no_packet_leaves_as_it_is) {
  Local world(Method::direct);
  const Frame other = out4(vip).tcp(web, 50000, rst);
  EXPECT_EQ(world.leave(other), other.bytes());
  const Bytes whole = out4(vip).tcp(web, 40000, ack).bytes();
  for (std::size_t length = 0; length < whole.size(); ++length) {
    const Bytes cut(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(length));
    EXPECT_EQ(world.leave(cut), cut);
  }
  EXPECT_EQ(world.counters().out_packets, 0U);
}

}  // namespace
}  // namespace penstock
