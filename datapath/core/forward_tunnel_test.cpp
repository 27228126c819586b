// tunnel: every kind of tunnel, around packets of both families to real servers of both.
#include "datapath/core/forward_tunnel.hpp"

#include <gtest/gtest.h>

#include "tests/packets/world.hpp"

namespace penstock {
namespace {

using namespace packets;

constexpr u16 web = 80;
constexpr u16 gue_port = 6080;

struct Kind {
  const char* name;
  TunnelType type;
  TunnelChecksum checksum;
  u32 shim;  // bytes between the outer header and the packet
};

const Kind kinds[] = {
    {"ipip", TunnelType::ipip, TunnelChecksum::none, 0},
    {"gre", TunnelType::gre, TunnelChecksum::none, 4},
    {"gre with a checksum", TunnelType::gre, TunnelChecksum::checksum, 8},
    {"gue", TunnelType::gue, TunnelChecksum::none, 12},
    {"gue with a checksum", TunnelType::gue, TunnelChecksum::checksum, 12},
};

struct Tunnel : World {
  Tunnel(const Kind& kind, Family outer, u32 mtu = 1500) {
    hop = add_hop(11, mtu, NextHopState::resolved, outer);
    const Server like{.next_hop = hop, .tunnel = kind.type, .tunnel_checksum = kind.checksum, .tunnel_port = gue_port};
    rs = outer == Family::ipv4 ? add_rs(11, Method::tunnel, like) : add_rs6(11, Method::tunnel, like);
    for (const u8 protocol : {u8{6}, u8{17}, u8{132}}) {
      director.add_service({vip, web, protocol}, {rs});
      director.add_service({vip6, web, protocol}, {rs});
    }
  }
  u32 hop = 0;
  u32 rs = 0;
};

Bytes be16_bytes(u32 value) {
  Bytes bytes;
  append16(bytes, value);
  return bytes;
}

Bytes gre_around(const Kind& kind, const Bytes& inner, u32 ethertype) {
  const bool sums = kind.checksum == TunnelChecksum::checksum;
  Bytes gre = be16_bytes(sums ? 0x8000 : 0);
  append16(gre, ethertype);
  if (sums) append32(gre, 0);
  append(gre, inner);
  if (sums) put16(gre, 4, naive_checksum(gre));
  return gre;
}

// The packet in its tunnel, but for what GUE's source port is: the kernel's choice is free, so is ours.
Frame around(const Kind& kind, Family outer, const Frame& inner_frame, const IpFields& ip, u16 source_port = 0) {
  const Bytes inner = inner_frame.packet();
  const bool inner_v6 = inner[0] >> 4 == 6;
  const Frame to =
      outer == Family::ipv4 ? to_rs(11).ipv4(inner_address, rip(11), ip) : to_rs(11).ipv6(inner_address6, rip6(11), ip);
  if (kind.type == TunnelType::ipip) return to.protocol(inner_v6 ? 41 : 4).payload(inner);
  if (kind.type == TunnelType::gre) return to.protocol(47).payload(gre_around(kind, inner, inner_v6 ? 0x86dd : 0x0800));
  const Frame udp = to.udp(source_port, gue_port);
  const Frame gue = kind.checksum == TunnelChecksum::none ? udp.without_checksum() : udp;
  return gue.payload(Bytes{0, static_cast<u8>(inner_v6 ? 41 : 4), 0, 0}).payload(inner);
}

u32 outer_header(Family outer) { return outer == Family::ipv4 ? 20 : 40; }

u16 source_port_of(const Bytes& frame, Family outer) {
  const std::size_t at = 14 + outer_header(outer);
  return static_cast<u16>(frame.at(at) << 8 | frame.at(at + 1));
}

struct Case {
  Kind kind;
  Family outer;
  Family inner;
};

// Without DF the outer packet has an id, which is free.
IpFields outer_fields(Family outer, bool dont_fragment, const Bytes& frame, u8 tos = 0) {
  const bool has_id = outer == Family::ipv4 && !dont_fragment;
  return {.ttl = 63,
          .tos = tos,
          .id = static_cast<u16>(has_id ? frame.at(18) << 8 | frame.at(19) : 0),
          .dont_fragment = dont_fragment};
}

class ForwardTunnel : public ::testing::TestWithParam<Case> {
 protected:
  Frame in(const IpFields& ip = {}) const { return GetParam().inner == Family::ipv4 ? in4(ip) : in6(ip); }
  // DF is copied from an inner IPv4 packet.
  Frame sent(const Frame& inner, const PacketResult& result, u8 tos = 0) const {
    const IpFields ip = outer_fields(GetParam().outer, GetParam().inner == Family::ipv4, result.frame, tos);
    return around(GetParam().kind, GetParam().outer, inner, ip, source_port_of(result.frame, GetParam().outer));
  }
  Tunnel world_{GetParam().kind, GetParam().outer};
};

std::vector<Case> all_cases() {
  std::vector<Case> cases;
  for (const Kind& kind : kinds)
    for (const Family outer : {Family::ipv4, Family::ipv6})
      for (const Family inner : {Family::ipv4, Family::ipv6}) cases.push_back({kind, outer, inner});
  return cases;
}

std::string name_of(const ::testing::TestParamInfo<Case>& info) {
  std::string name = info.param.kind.name;
  std::ranges::replace(name, ' ', '_');
  return name + (info.param.inner == Family::ipv4 ? "_of_4" : "_of_6") +
         (info.param.outer == Family::ipv4 ? "_in_4" : "_in_6");
}

INSTANTIATE_TEST_SUITE_P(Kinds, ForwardTunnel, ::testing::ValuesIn(all_cases()), name_of);

TEST_P(ForwardTunnel, puts_the_packet_into_another_at_every_length) {
  for (std::size_t length : {0U, 1U, 2U, 3U, 64U, 511U, 1300U}) {
    SCOPED_TRACE(length);
    const PacketResult result = world_.send(in({.dont_fragment = true}).udp(40000, web).payload(length));
    const Frame inner = in({.ttl = 63, .dont_fragment = true}).udp(40000, web).payload(length);
    expect_frame(result, sent(inner, result), inner_link);
  }
  world_.expect_order();
}

TEST_P(ForwardTunnel, tcp_and_sctp_alike) {
  const PacketResult tcp = world_.send(in({.dont_fragment = true}).tcp(40000, web, syn));
  expect_frame(tcp, sent(in({.ttl = 63, .dont_fragment = true}).tcp(40000, web, syn), tcp), inner_link);
  const PacketResult sctp = world_.send(in({.dont_fragment = true}).sctp(40000, web, 1));
  expect_frame(sctp, sent(in({.ttl = 63, .dont_fragment = true}).sctp(40000, web, 1), sctp), inner_link);
}

// RFC 3168 §9.1.1: the outer packet may be marked, and says so from the beginning only if the inner one can bear it.
TEST_P(ForwardTunnel, the_outer_packet_has_the_inner_ones_class_but_not_its_congestion) {
  for (u32 tos = 0; tos < 256; ++tos) {
    const u8 outer = (tos & 3) == 3 ? static_cast<u8>(tos - 1) : static_cast<u8>(tos);
    const PacketResult result = world_.send(in({.tos = static_cast<u8>(tos), .dont_fragment = true}).udp(40000, web));
    const Frame inner = in({.ttl = 63, .tos = static_cast<u8>(tos), .dont_fragment = true}).udp(40000, web);
    ASSERT_EQ(hex(result.frame), hex(sent(inner, result, outer).bytes())) << tos;
  }
}

TEST_P(ForwardTunnel, the_mtu_is_that_of_the_way_less_the_headers) {
  const bool inner_v4 = GetParam().inner == Family::ipv4;
  const u32 mtu = 1500 - outer_header(GetParam().outer) - GetParam().kind.shim;
  const std::size_t headers = inner_v4 ? 28 : 48;
  const auto packet = [&](std::size_t length, u8 ttl = 64) {
    return in({.ttl = ttl, .dont_fragment = true}).udp(40000, web).payload(length - headers);
  };
  EXPECT_EQ(world_.send(packet(mtu)).interface, inner_link);
  const Frame refused =
      inner_v4 ? to_client().ipv4(vip, client, {.tos = 0xc0}).icmp(3, 4, mtu).payload(quote(packet(mtu + 1, 63), 548))
               : to_client().ipv6(vip6, client6).icmp(2, 0, mtu).payload(quote(packet(mtu + 1, 63), 1232));
  expect_frame(world_.send(packet(mtu + 1)), refused, outer_link);
  world_.expect_counted(Reason::too_big);
}

TEST_P(ForwardTunnel, at_the_last_hop_it_is_refused) {
  const PacketResult result = world_.send(in({.ttl = 1}).udp(40000, web));
  EXPECT_EQ(result.verdict, Verdict::transmit);
  world_.expect_counted(Reason::ttl_exceeded);
}

TEST_P(ForwardTunnel, without_room_for_its_headers_the_packet_is_dropped_under_a_name) {
  const std::size_t needed = outer_header(GetParam().outer) + GetParam().kind.shim;
  for (const std::size_t headroom : {needed - 2, needed + 2}) {  // aligned as frames are
    Tunnel world(GetParam().kind, GetParam().outer);
    FrameBuffer buffer = with_headroom(in().udp(40000, web).bytes(), headroom);
    NativePlatform platform(world.tables(), buffer, world.now, outer_link);
    EXPECT_EQ(balance(platform), headroom > needed ? Verdict::redirect : Verdict::drop);
    EXPECT_EQ(world.counted(Reason::no_room), headroom > needed ? 0U : 1U);
  }
}

// Without DF the outer packet may be cut on its way, and its pieces must find together again.
TEST(ForwardTunnelFragments, an_outer_packet_that_may_be_fragmented_has_an_id) {
  Tunnel world(kinds[0], Family::ipv4);
  const PacketResult result = world.send(in4().udp(40000, web));
  const IpFields outer = outer_fields(Family::ipv4, false, result.frame);
  EXPECT_NE(outer.id, 0);
  expect_frame(result, around(kinds[0], Family::ipv4, in4({.ttl = 63}).udp(40000, web), outer), inner_link);
}

TEST(ForwardTunnelFragments, what_may_be_fragmented_is_handed_to_the_daemon) {
  for (const bool dont_fragment : {false, true}) {
    for (const u32 pmtu_disc : {0U, 1U}) {
      Tunnel world(kinds[0], Family::ipv4, 1400);
      world.settings().pmtu_disc = pmtu_disc;
      const PacketResult result = world.send(in4({.dont_fragment = dont_fragment}).udp(40000, web).payload(1400));
      const bool refused = dont_fragment && pmtu_disc == 1;
      EXPECT_EQ(result.verdict, refused ? Verdict::transmit : Verdict::drop);
      world.expect_counted(refused ? Reason::too_big : Reason::to_be_fragmented);
    }
  }
}

TEST(ForwardTunnelFragments, without_path_mtu_discovery_the_outer_packet_may_always_be_fragmented) {
  Tunnel world(kinds[0], Family::ipv4);
  world.settings().pmtu_disc = 0;
  const PacketResult result = world.send(in4({.dont_fragment = true}).udp(40000, web));
  EXPECT_EQ(result.frame.at(20) & 0x40, 0) << "DF of the outer header";
  EXPECT_EQ(result.frame.at(40) & 0x40, 0x40) << "DF of the inner header";
}

TEST(ForwardTunnelMtu, what_icmp_said_of_the_way_holds_until_it_expires) {
  Tunnel world(kinds[0], Family::ipv4);
  ServerLoad& load = world.director.load(world.rs);
  load.path_mtu = 1000;
  load.path_mtu_expires = world.now + 600 * hz;
  const auto send = [&](std::size_t length) {
    return world.send(in4({.dont_fragment = true}).udp(40000, web).payload(length - 28)).interface == inner_link;
  };
  EXPECT_TRUE(send(980));
  EXPECT_FALSE(send(981));
  world.now += 600 * hz - 1;
  EXPECT_FALSE(send(981));
  world.now += 1;
  EXPECT_TRUE(send(981));
  load.path_mtu = 2000;  // more than the next hop takes
  load.path_mtu_expires = world.now + 600 * hz;
  EXPECT_TRUE(send(1480));
  EXPECT_FALSE(send(1481));
}

TEST(ForwardTunnelHops, unresolved_and_local_ones) {
  Tunnel world(kinds[0], Family::ipv4);
  world.tables().next_hops[world.hop].state = NextHopState::unresolved;
  EXPECT_EQ(world.send(in4().udp(1, web)).verdict, Verdict::drop);
  EXPECT_EQ(world.counted(Reason::next_hop_unresolved), 1U);
  world.tables().next_hops[world.hop].state = NextHopState::local;
  const Frame frame = in4().udp(1, web);
  const PacketResult result = world.send(frame);
  EXPECT_EQ(result.verdict, Verdict::pass);
  EXPECT_EQ(result.frame, frame.bytes());
  EXPECT_EQ(world.counted(Reason::pass_local), 1U);
}

TEST(ForwardTunnelCounters, count_the_inner_packet) {
  Tunnel world(kinds[4], Family::ipv6);
  (void)world.send(in4().udp(1, web).payload(100));
  EXPECT_EQ(world.tables().counters[world.rs].in_bytes, 128U);
}

TEST(ForwardTunnelPorts, gue_spreads_flows_over_source_ports_from_49152_on) {
  Tunnel world(kinds[3], Family::ipv4);
  std::set<u16> ports;
  for (u16 port = 1001; port <= 1100; ++port) {
    const u16 first = source_port_of(world.send(in4().udp(port, web)).frame, Family::ipv4);
    EXPECT_GE(first, 49152);
    EXPECT_EQ(source_port_of(world.send(in4().udp(port, web).payload(9)).frame, Family::ipv4), first);
    ports.insert(first);
  }
  EXPECT_GT(ports.size(), 95U);
}

}  // namespace
}  // namespace penstock
