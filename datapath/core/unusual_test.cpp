// Fragments, in and out of order, by every method; and IPv6 extension headers.
#include "datapath/core/unusual.hpp"

#include <gtest/gtest.h>

#include "tests/packets/world.hpp"

namespace penstock {
namespace {

using namespace packets;

constexpr u16 dns = 53;
constexpr u16 inside = 5353;
const std::string lip = "10.0.0.2";
const std::string lip6 = "fd00::2";

// One service of UDP in the family, by any method.
struct Pieces : World {
  Pieces(Method method, bool is_v4) : v4(is_v4), kind(method) {
    director.add_local_address(lip);
    director.add_local_address(lip6);
    const Server like{.port = kind == Method::nat || kind == Method::fullnat ? inside : u16{0}};
    rs = v4 ? add_rs(11, method, like) : add_rs6(11, method, like);
    director.add_service({v4 ? vip : vip6, dns, 17}, {rs});
  }
  // A datagram of 8 + 2000 bytes, as it comes and as it goes.
  Frame in(u8 ttl = 64, u16 id = 77) const {
    const IpFields ip{.ttl = ttl, .id = id};
    return (v4 ? in4(ip) : in6(ip)).udp(40000, dns).payload(2000);
  }
  Frame out(u16 port, u8 ttl = 63, u16 id = 77) const {
    const IpFields ip{.ttl = ttl, .id = id};
    const bool translated = kind == Method::nat || kind == Method::fullnat;
    const std::string from = kind == Method::fullnat ? v4 ? lip : lip6 : v4 ? client : client6;
    const std::string to = translated ? v4 ? rip(11) : rip6(11) : v4 ? vip : vip6;
    const Frame ends = v4 ? to_rs(11).ipv4(from, to, ip) : to_rs(11).ipv6(from, to, ip);
    return ends.udp(port, translated ? inside : dns).payload(2000);
  }
  u16 port_of(const PacketResult& result) const {
    const std::size_t at = v4 ? 34 : 62;  // behind a fragment header
    return static_cast<u16>(result.frame.at(at) << 8 | result.frame.at(at + 1));
  }
  bool v4;
  Method kind;
  u32 rs = 0;
};

class Fragments : public ::testing::TestWithParam<std::tuple<Method, bool>> {
 protected:
  Pieces world_{std::get<0>(GetParam()), std::get<1>(GetParam())};
};
INSTANTIATE_TEST_SUITE_P(Methods, Fragments,
                         ::testing::Combine(::testing::Values(Method::direct, Method::nat, Method::fullnat),
                                            ::testing::Bool()));

TEST_P(Fragments, follow_the_first_one) {
  const PacketResult first = world_.send(world_.in().fragment(0, 800));
  const u16 port = world_.port_of(first);
  expect_frame(first, world_.out(port).fragment(0, 800), inner_link);
  expect_frame(world_.send(world_.in().fragment(1600, 408)), world_.out(port).fragment(1600, 408), inner_link);
  expect_frame(world_.send(world_.in().fragment(800, 800)), world_.out(port).fragment(800, 800), inner_link);
  world_.expect_counted(std::nullopt);
  EXPECT_EQ(world_.records(Role::request), 1U);
  EXPECT_EQ(world_.records(Role::fragment), 1U);
  const ServerCounters& counters = world_.tables().counters[world_.rs];
  EXPECT_EQ(counters.in_packets, 1U);
  EXPECT_EQ(counters.in_bytes, (world_.v4 ? 28U : 48U) + 2000U) << "as if the datagram had come in one piece";
  world_.expect_order();
}

TEST_P(Fragments, before_the_first_one_wait_with_the_daemon) {
  EXPECT_EQ(world_.send(world_.in().fragment(800, 800)).verdict, Verdict::drop);
  world_.expect_counted(Reason::fragment_waits);
  const PuntedFrame* row = nullptr;
  for (const PuntedFrame& frame : world_.tables().punted)
    if (frame.word == punt_ready) row = &frame;
  ASSERT_TRUE(row);
  EXPECT_EQ(row->why, Punt::early_fragment);
  EXPECT_EQ(row->interface, outer_link);
  EXPECT_EQ(row->ticks, world_.now);
  EXPECT_EQ(hex({row->bytes, row->length}), hex(world_.in().fragment(800, 800).bytes()));
}

TEST_P(Fragments, of_another_datagram_or_source_do_not_follow) {
  (void)world_.send(world_.in().fragment(0, 800));
  EXPECT_EQ(world_.send(world_.in(64, 78).fragment(800, 800)).verdict, Verdict::drop);
  const Frame other = world_.v4 ? from_client().ipv4("198.51.100.8", vip, {.id = 77})
                                : from_client().ipv6("2001:db8::8", vip6, {.id = 77});
  EXPECT_EQ(world_.send(other.udp(40000, dns).payload(2000).fragment(800, 800)).verdict, Verdict::drop);
  EXPECT_EQ(world_.counted(Reason::fragment_waits), 2U);
}

TEST_P(Fragments, are_forgotten_after_thirty_seconds) {
  (void)world_.send(world_.in().fragment(0, 800));
  world_.now += 30 * hz - 1;
  EXPECT_EQ(world_.send(world_.in().fragment(800, 800)).interface, inner_link);
  world_.now += 1;
  EXPECT_EQ(world_.send(world_.in().fragment(800, 800)).verdict, Verdict::drop);
}

TEST_P(Fragments, end_at_their_last_hop_and_only_the_first_is_answered) {
  const PacketResult refused = world_.send(world_.in(1).fragment(0, 800));
  EXPECT_EQ(refused.verdict, Verdict::transmit);
  EXPECT_EQ(world_.counted(Reason::ttl_exceeded), 1U);
  (void)world_.send(world_.in().fragment(0, 800));
  EXPECT_EQ(world_.send(world_.in(1).fragment(800, 800)).verdict, Verdict::drop);
  EXPECT_EQ(world_.counted(Reason::ttl_exceeded), 1U);
}

TEST_P(Fragments, of_a_removed_servers_connection_are_dropped) {
  (void)world_.send(world_.in().fragment(0, 800));
  world_.director.server(world_.rs).route.available = 0;
  EXPECT_EQ(world_.send(world_.in().fragment(800, 800)).verdict, Verdict::drop);
  world_.expect_counted(Reason::server_removed);
}

TEST_P(Fragments, of_replies_follow_their_first_one_too) {
  if (world_.kind == Method::direct) return;
  const u16 port = world_.port_of(world_.send(world_.in().fragment(0, 800)));
  const bool v4 = world_.v4;
  const std::string apparent = world_.kind == Method::fullnat ? v4 ? lip : lip6 : v4 ? client : client6;
  const IpFields ip{.id = 99};
  const Frame reply = (v4 ? from_rs(11).ipv4(rip(11), apparent, ip) : from_rs(11).ipv6(rip6(11), apparent, ip))
                          .udp(inside, port)
                          .payload(2000);
  const IpFields ip_out{.ttl = 63, .id = 99};
  const Frame back = (v4 ? to_client().ipv4(vip, client, ip_out) : to_client().ipv6(vip6, client6, ip_out))
                         .udp(dns, 40000)
                         .payload(2000);
  EXPECT_EQ(world_.reply(reply.fragment(800, 1208)).verdict, Verdict::drop);
  expect_frame(world_.reply(reply.fragment(0, 800)), back.fragment(0, 800), outer_link);
  expect_frame(world_.reply(reply.fragment(800, 1208)), back.fragment(800, 1208), outer_link);
  world_.expect_counted(Reason::fragment_waits);
  EXPECT_EQ(world_.tables().counters[world_.rs].out_packets, 1U);
  EXPECT_EQ(world_.tables().counters[world_.rs].out_bytes, (v4 ? 28U : 48U) + 2000U);
}

TEST(FragmentsOfTunnel, each_goes_into_a_packet_of_its_own) {
  Pieces world(Method::tunnel, true);
  const auto around = [](const Bytes& frame, const Frame& inner) {
    const u16 id = static_cast<u16>(frame.at(18) << 8 | frame.at(19));
    return to_rs(11).ipv4(inner_address, rip(11), {.ttl = 63, .id = id}).protocol(4).payload(inner.packet());
  };
  for (const std::size_t first : {0U, 800U}) {
    const PacketResult result = world.send(world.in().fragment(first, 800));
    expect_frame(result, around(result.frame, world.in(63).fragment(first, 800)), inner_link);
  }
}

// What the kernel gets it must get whole.
TEST(FragmentsOfOthers, follow_their_first_one_to_the_kernel) {
  const Frame datagrams[] = {
      in4({.id = 5}).icmp(8, 0).payload(2000),   in4({.id = 5}).protocol(47).payload(2000),
      in4({.id = 5}).udp(1, 9999).payload(2000), in4({.id = 5}).tcp(1, 9999, ack).payload(2000),
      in6({.id = 5}).icmp(128, 0).payload(2000), in6({.id = 5}).protocol(47).payload(2000),
      in6({.id = 5}).udp(1, 9999).payload(2000),
  };
  for (const Frame& datagram : datagrams) {
    SCOPED_TRACE(&datagram - datagrams);
    Pieces world(Method::direct, true);
    world.director.add_service({vip6, dns, 17}, {world.rs});
    for (const std::size_t first : {0U, 800U, 1600U}) {
      const Frame piece = datagram.fragment(first, 800);
      const PacketResult result = world.send(piece);
      EXPECT_EQ(result.verdict, Verdict::pass) << first;
      EXPECT_EQ(hex(result.frame), hex(piece.bytes()));
    }
  }
}

TEST(FragmentsOfOthers, of_one_packet_services_follow_their_first_one) {
  Pieces world(Method::direct, true);
  world.director.find_service({vip, dns, 17}).flags = service_one_packet;
  EXPECT_EQ(world.send(world.in().fragment(0, 800)).interface, inner_link);
  EXPECT_EQ(world.send(world.in().fragment(800, 1208)).interface, inner_link);
}

TEST(FragmentsOfOthers, of_tcp_segments_and_of_sctp) {
  Pieces world(Method::nat, true);
  world.director.add_service({vip, 80, 6}, {world.rs});
  const Frame segment = in4({.id = 5}).tcp(40000, 80, syn).payload(1000);
  const Frame expected = to_rs(11).ipv4(client, rip(11), {.ttl = 63, .id = 5}).tcp(40000, inside, syn).payload(1000);
  expect_frame(world.send(segment.fragment(0, 512)), expected.fragment(0, 512), inner_link);
  expect_frame(world.send(segment.fragment(512, 512)), expected.fragment(512, 512), inner_link);
}

// RFC 8200 §4.5: a later fragment names the header behind the fragment header, whatever follows that.
TEST(FragmentsOfIpv6, with_destination_options_behind_the_fragment_header) {
  Pieces world(Method::direct, false);
  const Frame whole = in6().extension(60, Bytes(6)).udp(40000, dns).payload(1000);
  const Bytes packet = whole.packet();
  const Bytes fragmentable(packet.begin() + 40, packet.end());  // the options, then UDP
  const auto piece = [&](const Frame& ends, std::size_t first, std::size_t count, bool more) {
    Bytes body;
    append16(body, static_cast<u32>(first | (more ? 1U : 0U)));
    append32(body, 0xabcdef01);
    const auto begin = fragmentable.begin() + static_cast<std::ptrdiff_t>(first);
    return ends.extension(44, body).protocol(60).payload(Bytes(begin, begin + static_cast<std::ptrdiff_t>(count)));
  };
  const Frame out = to_rs(11).ipv6(client6, vip6, {.ttl = 63});
  expect_frame(world.send(piece(in6(), 0, 512, true)), piece(out, 0, 512, true), inner_link);
  expect_frame(world.send(piece(in6(), 512, 504, false)), piece(out, 512, 504, false), inner_link);
}

TEST(FragmentsOfIpv6, an_atomic_fragment_is_a_whole_datagram) {
  Pieces world(Method::nat, false);
  const Bytes alone{0, 0, 0, 0, 0, 9};
  expect_frame(world.send(in6().extension(44, alone).udp(40000, dns).payload(10)),
               to_rs(11).ipv6(client6, rip6(11), {.ttl = 63}).extension(44, alone).udp(40000, inside).payload(10),
               inner_link);
  EXPECT_EQ(world.records(Role::fragment), 0U);
}

// What the others would be sent by is the first one's connection.
TEST(FragmentsTable, of_a_datagram_that_began_no_connection_wait_in_vain) {
  Pieces world(Method::fullnat, true);
  world.tables().local_pool->count[0] = 0;
  EXPECT_EQ(world.send(world.in().fragment(0, 800)).verdict, Verdict::drop);
  world.expect_counted(Reason::local_ports_exhausted);
  world.tables().reasons[0] = {};
  EXPECT_EQ(world.send(world.in().fragment(800, 800)).verdict, Verdict::drop);
  world.expect_counted(Reason::fragment_waits);
  EXPECT_EQ(world.records(Role::fragment), 0U);
}

TEST(FragmentsTable, give_way_to_connections) {
  Config config = World::small();
  config.connection_buckets = 2;
  World world(config);
  const u32 rs = world.add_rs(11, Method::direct);
  world.director.add_service({vip, dns, 17}, {rs});
  for (u16 id = 1; id < 60; ++id) (void)world.send(in4({.id = id}).udp(1, dns).payload(100).fragment(0, 64));
  for (u16 port = 1001; port < 1016; ++port) {
    (void)world.send(in4().udp(port, dns));
    ASSERT_EQ(world.record(port).server, rs);
  }
  EXPECT_EQ(world.counted(Reason::stateless), 0U);
}

TEST(ExtensionHeaders, are_passed_by_in_both_directions_of_nat) {
  Pieces world(Method::nat, false);
  const auto dressed = [](const Frame& frame) {
    return frame.extension(0).extension(43, Bytes(22)).extension(60, Bytes(14));
  };
  expect_frame(world.send(dressed(in6()).udp(40000, dns).payload(5)),
               dressed(to_rs(11).ipv6(client6, rip6(11), {.ttl = 63})).udp(40000, inside).payload(5), inner_link);
  expect_frame(world.reply(dressed(from_rs(11).ipv6(rip6(11), client6)).udp(inside, 40000).payload(5)),
               dressed(to_client().ipv6(vip6, client6, {.ttl = 63})).udp(dns, 40000).payload(5), outer_link);
}

TEST(ExtensionHeaders, icmp_errors_behind_them_are_relayed) {
  Pieces world(Method::direct, false);
  (void)world.send(in6().udp(40000, dns));
  const Frame answered = to_client().ipv6(vip6, client6, {.ttl = 63}).udp(dns, 40000);
  expect_frame(world.send(in6().extension(60).icmp(1, 0).payload(answered.packet())),
               to_rs(11).ipv6(client6, vip6, {.ttl = 63}).extension(60).icmp(1, 0).payload(answered.packet()),
               inner_link);
}

TEST(ExtensionHeaders, the_longest_one_that_there_can_be) {
  Pieces world(Method::direct, false);
  const Bytes longest(2046);  // 2048 bytes with its first two
  EXPECT_EQ(world.send(in6().extension(60, longest).udp(40000, dns)).verdict, Verdict::transmit)
      << "longer than the MTU";
  world.tables().next_hops[world.tables().servers[world.rs].route.next_hop].mtu = 9000;
  expect_frame(world.send(in6().extension(60, longest).udp(40000, dns)),
               to_rs(11).ipv6(client6, vip6, {.ttl = 63}).extension(60, longest).udp(40000, dns), inner_link);
}

}  // namespace
}  // namespace penstock
