// nat both ways: what the real server gets, what the client gets back, and what stands in the table meanwhile.
#include "datapath/core/forward_nat.hpp"

#include <gtest/gtest.h>

#include "tests/packets/world.hpp"

namespace penstock {
namespace {

using namespace packets;

constexpr u16 web = 80;
constexpr u16 inside = 8080;  // the real server's port

struct Nat : World {
  explicit Nat(u16 port = inside) {
    rs = add_rs(11, Method::nat, {.port = port});
    rs6 = add_rs6(11, Method::nat, {.port = port});
    for (const u8 protocol : {u8{6}, u8{17}, u8{132}}) {
      director.add_service({vip, web, protocol}, {rs});
      director.add_service({vip6, web, protocol}, {rs6});
    }
  }
  u32 rs = 0;
  u32 rs6 = 0;
};

Frame in(const std::string& family, const IpFields& ip = {}) { return family == "4" ? in4(ip) : in6(ip); }
// As the real server gets it, from it, and as the client gets it.
Frame there(const std::string& family, const IpFields& ip = {.ttl = 63}) {
  return family == "4" ? to_rs(11).ipv4(client, rip(11), ip) : to_rs(11).ipv6(client6, rip6(11), ip);
}
Frame answer(const std::string& family, const IpFields& ip = {}) {
  return family == "4" ? from_rs(11).ipv4(rip(11), client, ip) : from_rs(11).ipv6(rip6(11), client6, ip);
}
Frame back(const std::string& family, const IpFields& ip = {.ttl = 63}) {
  return family == "4" ? to_client().ipv4(vip, client, ip) : to_client().ipv6(vip6, client6, ip);
}

class ForwardNat : public ::testing::TestWithParam<std::string> {};
INSTANTIATE_TEST_SUITE_P(Families, ForwardNat, ::testing::Values("4", "6"));

TEST_P(ForwardNat, gives_tcp_the_real_servers_address_and_port_and_the_reply_the_virtual_one) {
  Nat world;
  const auto family = GetParam();
  expect_frame(world.send(in(family).tcp(40000, web, syn, {.sequence = 7}).payload(33)),
               there(family).tcp(40000, inside, syn, {.sequence = 7}).payload(33), inner_link);
  expect_frame(world.reply(answer(family).tcp(inside, 40000, syn | ack).payload(4)),
               back(family).tcp(web, 40000, syn | ack).payload(4), outer_link);
  world.expect_counted(std::nullopt);
  world.expect_order();
}

TEST_P(ForwardNat, udp_and_sctp_too) {
  Nat world;
  const auto family = GetParam();
  expect_frame(world.send(in(family).udp(40000, web).payload(7)), there(family).udp(40000, inside).payload(7),
               inner_link);
  expect_frame(world.reply(answer(family).udp(inside, 40000).payload(1)), back(family).udp(web, 40000).payload(1),
               outer_link);
  expect_frame(world.send(in(family).sctp(40000, web, 1, Bytes(77, 3))),
               there(family).sctp(40000, inside, 1, Bytes(77, 3)), inner_link);
  expect_frame(world.reply(answer(family).sctp(inside, 40000, 2)), back(family).sctp(web, 40000, 2), outer_link);
  world.expect_order();
}

TEST_P(ForwardNat, a_server_without_a_port_gets_the_packets) {
  Nat world(0);
  const auto family = GetParam();
  expect_frame(world.send(in(family).tcp(40000, web, syn)), there(family).tcp(40000, web, syn), inner_link);
  expect_frame(world.reply(answer(family).tcp(web, 40000, syn | ack)), back(family).tcp(web, 40000, syn | ack),
               outer_link);
}

TEST_P(ForwardNat, ends_and_refuses_at_the_last_hop) {
  Nat world;
  const auto family = GetParam();
  const Frame last = in(family, {.ttl = 1}).tcp(40000, web, syn);
  const Frame refused = family == "4" ? to_client().ipv4(vip, client, {.tos = 0xc0}).icmp(11, 0).payload(quote(last))
                                      : to_client().ipv6(vip6, client6).icmp(3, 0).payload(quote(last));
  expect_frame(world.send(last), refused, outer_link);
  EXPECT_EQ(world.counted(Reason::ttl_exceeded), 1U);
  world.expect_order();
}

// The director is a router on the way back: the error is the router's own, and goes to the real server.
TEST_P(ForwardNat, a_replys_last_hop_is_told_to_the_real_server_from_our_address) {
  Nat world;
  const auto family = GetParam();
  (void)world.send(in(family).tcp(40000, web, syn));
  const Frame last = answer(family, {.ttl = 1}).tcp(inside, 40000, syn | ack);
  const Frame refused = family == "4"
                            ? to_rs(11).ipv4(inner_address, rip(11), {.tos = 0xc0}).icmp(11, 0).payload(quote(last))
                            : to_rs(11).ipv6(inner_address6, rip6(11)).icmp(3, 0).payload(quote(last));
  expect_frame(world.reply(last), refused, inner_link);
  EXPECT_EQ(world.counted(Reason::ttl_exceeded), 1U);
}

TEST_P(ForwardNat, tells_the_mtu_of_either_way) {
  Nat world;
  const auto family = GetParam();
  world.tables().next_hops[world.tables().servers[family == "4" ? world.rs : world.rs6].route.next_hop].mtu = 1300;
  world.tables().interfaces[outer_link].mtu = 1310;
  const std::size_t headers = family == "4" ? 28 : 48;
  const auto fitting = [&](std::size_t mtu) {
    return in(family, {.dont_fragment = true}).udp(40000, web).payload(mtu - headers);
  };
  EXPECT_EQ(world.send(fitting(1300)).interface, inner_link);
  const Frame quoted = in(family, {.ttl = 63, .dont_fragment = true}).udp(40000, web).payload(1301 - headers);
  const Frame refused = family == "4"
                            ? to_client().ipv4(vip, client, {.tos = 0xc0}).icmp(3, 4, 1300).payload(quote(quoted, 548))
                            : to_client().ipv6(vip6, client6).icmp(2, 0, 1300).payload(quote(quoted, 1232));
  expect_frame(world.send(fitting(1301)), refused, outer_link);

  const auto reply = [&](std::size_t mtu) {
    return answer(family, {.dont_fragment = true}).udp(inside, 40000).payload(mtu - headers);
  };
  EXPECT_EQ(world.reply(reply(1310)).interface, outer_link);
  const Frame told =
      family == "4"
          ? to_rs(11).ipv4(inner_address, rip(11), {.tos = 0xc0}).icmp(3, 4, 1310).payload(quote(reply(1311), 548))
          : to_rs(11).ipv6(inner_address6, rip6(11)).icmp(2, 0, 1310).payload(quote(reply(1311), 1232));
  expect_frame(world.reply(reply(1311)), told, inner_link);
  EXPECT_EQ(world.counted(Reason::too_big), 2U);
}

// Ones' complement has two zeroes: every checksum on the way, of header and transport.
TEST(ForwardNatChecksums, are_right_whatever_they_were) {
  Nat world;
  for (u32 id = 0; id < 0x10000; ++id) {
    const u16 word = static_cast<u16>(id);
    const Bytes payload{static_cast<u8>(id >> 8), static_cast<u8>(id)};
    const PacketResult sent = world.send(in4({.id = word}).udp(1, web).payload(payload));
    ASSERT_EQ(sent.frame, there("4", {.ttl = 63, .id = word}).udp(1, inside).payload(payload).bytes()) << id;
    const PacketResult replied = world.reply(answer("4", {.id = word}).tcp(inside, 1, ack).payload(payload));
    ASSERT_EQ(replied.verdict, Verdict::pass) << "no such connection";
    const PacketResult answered = world.reply(answer("4", {.id = word}).udp(inside, 1).payload(payload));
    ASSERT_EQ(answered.frame, back("4", {.ttl = 63, .id = word}).udp(web, 1).payload(payload).bytes()) << id;
  }
}

TEST(ForwardNatChecksums, of_tcp_over_ipv6_are_right_whatever_they_were) {
  Nat world;
  for (u32 value = 0; value < 0x10000; ++value) {
    const TcpFields tcp{.sequence = value};
    const PacketResult sent = world.send(in6().tcp(1, web, syn, tcp));
    ASSERT_EQ(sent.frame, there("6").tcp(1, inside, syn, tcp).bytes()) << value;
  }
}

// IPVS computes what the client has left out.
TEST(ForwardNatChecksums, a_udp_checksum_of_zero_is_made) {
  for (std::size_t length : {0U, 1U, 2U, 3U, 64U, 1400U}) {
    Nat world;
    expect_frame(world.send(in4().udp(40000, web).without_checksum().payload(length)),
                 there("4").udp(40000, inside).payload(length), inner_link);
  }
}

TEST(ForwardNatChecksums, of_sctp_stays_as_it_is_while_the_ports_stay) {
  Nat world(0);
  Bytes sent = in4().sctp(40000, web, 1).bytes();
  Bytes expected = there("4").sctp(40000, web, 1).bytes();
  sent[42] ^= 0xff;  // wrong already: the receiver is to notice
  expected[42] ^= 0xff;
  EXPECT_EQ(world.send(sent).frame, expected);
}

TEST(ForwardNatHops, an_unresolved_real_server_is_left_to_the_kernel_with_its_new_ends) {
  Nat world;
  world.tables().next_hops[world.tables().servers[world.rs].route.next_hop].state = NextHopState::unresolved;
  const PacketResult result = world.send(in4().tcp(40000, web, syn));
  EXPECT_EQ(result.verdict, Verdict::pass);
  EXPECT_EQ(result.frame, from_client().ipv4(client, rip(11)).tcp(40000, inside, syn).bytes());
  world.expect_counted(Reason::pass_unresolved);
}

TEST(ForwardNatHops, the_directors_own_kernel_gets_the_packet_with_its_own_address) {
  Nat world;
  world.tables().next_hops[world.tables().servers[world.rs].route.next_hop].state = NextHopState::local;
  const PacketResult result = world.send(in4({.ttl = 1}).tcp(40000, web, syn));
  EXPECT_EQ(result.verdict, Verdict::pass);
  EXPECT_EQ(result.frame, from_client().ipv4(client, rip(11), {.ttl = 1}).tcp(40000, inside, syn).bytes());
  world.expect_counted(Reason::pass_local);
}

TEST(ForwardNatTable, a_connection_in_its_place_is_one_record) {
  Nat world;
  (void)world.send(in4().tcp(40000, web, syn));
  EXPECT_EQ(world.records(Role::request), 1U);
  EXPECT_EQ(world.records(Role::reply), 0U);
  EXPECT_EQ(world.director.load(world.rs).active, 1);
}

// The table is so full that many stand elsewhere; these have records for their replies.
TEST(ForwardNatTable, a_connection_is_answered_wherever_it_stands) {
  Nat world;
  const auto request = [](u16 port) { return from_client().vlan(7).ipv4(client, vip).udp(port, web); };
  for (u16 port = 1001; port <= 1200; ++port) ASSERT_EQ(world.send(request(port)).interface, inner_link) << port;
  EXPECT_EQ(world.records(Role::request), 200U);
  EXPECT_GT(world.records(Role::reply), 4U);
  EXPECT_LT(world.records(Role::reply), 50U);
  world.expect_order();
  for (u16 port = 1001; port <= 1200; ++port)
    expect_frame(world.reply(answer("4").udp(inside, port)),
                 to_client().vlan(7).ipv4(vip, client, {.ttl = 63}).udp(web, port), outer_link);
  world.expect_counted(std::nullopt);
}

TEST(ForwardNatTable, states_follow_both_directions) {
  Nat world;
  const auto state = [&] { return static_cast<TcpState>(state_bits(world.record(1).word)); };
  (void)world.send(in4().tcp(1, web, syn));
  EXPECT_EQ(state(), TcpState::syn_recv);
  (void)world.reply(answer("4").tcp(inside, 1, syn | ack));
  EXPECT_EQ(state(), TcpState::syn_recv);
  (void)world.send(in4().tcp(1, web, ack));
  EXPECT_EQ(state(), TcpState::established);
  (void)world.reply(answer("4").tcp(inside, 1, fin | ack));
  EXPECT_EQ(state(), TcpState::fin_wait);
  (void)world.send(in4().tcp(1, web, fin | ack));
  EXPECT_EQ(state(), TcpState::time_wait);
  EXPECT_EQ(world.director.load(world.rs).active, 0);
  EXPECT_EQ(world.director.load(world.rs).inactive, 1);
}

// The same client, port and server in one tick or later: IPVS's conn_reuse_mode.
TEST(ForwardNatTable, a_flow_that_begins_anew_is_answered) {
  for (const Method method : {Method::nat, Method::fullnat}) {
    World world;
    world.director.add_local_address(inner_address);
    const u32 rs = world.add_rs(11, method, {.port = inside});
    world.director.add_service({vip, web, 6}, {rs});
    for (const u8 flags : {syn, ack, rst}) (void)world.send(in4().tcp(1, web, flags));
    (void)world.send(in4().tcp(1, web, syn));
    EXPECT_EQ(world.records(Role::request), 1U);
    EXPECT_EQ(world.records(Role::reply), method == Method::fullnat ? 1U : 0U);
    EXPECT_EQ(unanswerable(world.tables(), world.now).size(), 0U) << "method " << static_cast<int>(method);
    world.pass_seconds(61);  // expired, but not swept
    (void)world.send(in4().tcp(1, web, syn));
    EXPECT_EQ(unanswerable(world.tables(), world.now).size(), 0U) << "method " << static_cast<int>(method);
  }
}

TEST(ForwardNatTable, of_two_connections_that_a_server_cannot_tell_apart_the_newer_is_answered) {
  Nat world;
  world.director.add_service({"192.0.2.9", web, 17}, {world.rs});
  (void)world.send(in4().udp(1, web));
  (void)world.send(from_client().ipv4(client, "192.0.2.9").udp(1, web));
  expect_frame(world.reply(answer("4").udp(inside, 1)), to_client().ipv4("192.0.2.9", client, {.ttl = 63}).udp(web, 1),
               outer_link);
}

TEST(ForwardNatTable, a_client_that_moved_is_answered_where_it_is) {
  Nat world;
  (void)world.send(in4().udp(1, web));
  const Mac moved{2, 0, 0, 0, 0, 0xc2};
  (void)world.send(eth(moved, director_mac).ipv4(client, vip).udp(1, web));
  const PacketResult result = world.reply(answer("4").udp(inside, 1));
  EXPECT_EQ(result.frame, eth(director_mac, moved).ipv4(vip, client, {.ttl = 63}).udp(web, 1).bytes());
}

TEST(ForwardNatTable, an_orphans_replies_still_pass) {
  Nat world;
  (void)world.send(in4().udp(1, web));
  world.director.server(world.rs).route.available = 0;
  EXPECT_EQ(world.send(in4().udp(1, web)).verdict, Verdict::drop);
  EXPECT_EQ(world.reply(answer("4").udp(inside, 1)).interface, outer_link);
  world.expect_counted(Reason::server_removed);
}

TEST(ForwardNatTable, without_an_interface_for_the_answer_it_is_dropped_under_a_name) {
  Nat world;
  (void)world.send(in4().udp(1, web));
  world.tables().interfaces[outer_link].known = 0;
  EXPECT_EQ(world.reply(answer("4").udp(inside, 1)).verdict, Verdict::drop);
  world.expect_counted(Reason::next_hop_unresolved);
}

TEST(ForwardNatStrays, from_a_real_server_go_to_the_kernel) {
  Nat world;
  const Frame stray = answer("4").tcp(inside, 2, ack);
  const PacketResult result = world.reply(stray);
  EXPECT_EQ(result.verdict, Verdict::pass);
  EXPECT_EQ(result.frame, stray.bytes());
  world.expect_counted(Reason::pass_no_reply);
}

TEST(ForwardNatStrays, nat_icmp_send_refuses_those_of_its_services_ports) {
  Nat world;
  world.settings().nat_icmp_send = 1;
  for (const u8 protocol : {u8{6}, u8{17}, u8{132}}) world.director.add_server_port({rip(11), inside, protocol});
  const Frame stray = answer("4").tcp(inside, 2, ack);
  const Frame quoted = answer("4", {.ttl = 63}).tcp(inside, 2, ack);  // on its way already, as the kernel's is
  expect_frame(world.reply(stray),
               to_rs(11).ipv4(inner_address, rip(11), {.tos = 0xc0}).icmp(3, 3).payload(quote(quoted)), inner_link);
  world.expect_counted(Reason::no_reply_connection);
  EXPECT_EQ(world.reply(answer("4").udp(inside, 2)).verdict, Verdict::transmit);
  EXPECT_EQ(world.reply(answer("4").sctp(inside, 2, 0)).verdict, Verdict::transmit);
  EXPECT_EQ(world.reply(answer("4").tcp(inside, 2, rst)).verdict, Verdict::pass);
  EXPECT_EQ(world.reply(answer("4").sctp(inside, 2, 6)).verdict, Verdict::pass) << "an ABORT";
  EXPECT_EQ(world.reply(answer("4").tcp(inside + 1, 2, ack)).verdict, Verdict::pass) << "another port";
}

TEST(ForwardNatStrays, a_real_server_may_be_a_client_too) {
  Nat world;
  const u32 direct = world.add_rs(12, Method::direct);
  world.director.add_service({vip, 81, 6}, {direct});
  EXPECT_EQ(world.reply(from_rs(11).ipv4(rip(11), vip).tcp(1, 81, syn)).verdict, Verdict::transmit);
  EXPECT_EQ(world.records(Role::request), 1U);
}

TEST(ForwardNatCounters, count_both_directions) {
  Nat world;
  (void)world.send(in4().tcp(1, web, syn));
  (void)world.reply(answer("4").tcp(inside, 1, syn | ack));
  (void)world.reply(answer("4").tcp(inside, 1, ack).payload(100));
  const ServerCounters& counters = world.tables().counters[world.rs];
  EXPECT_EQ(counters.connections, 1U);
  EXPECT_EQ(counters.in_packets, 1U);
  EXPECT_EQ(counters.in_bytes, 40U);
  EXPECT_EQ(counters.out_packets, 2U);
  EXPECT_EQ(counters.out_bytes, 180U);
}

}  // namespace
}  // namespace penstock
