// Frames as a TC program finds them, natively: checksums that are owed stay right whatever is done to the packet, and many packets
// in one are judged by what each will be. The test completes the checksum as whoever sends the frame would.
#include "datapath/core/owed.hpp"

#include <gtest/gtest.h>

#include "tests/packets/world.hpp"

namespace penstock {
namespace {

using namespace packets;

constexpr u16 web = 80;
constexpr u16 dns = 53;
constexpr std::size_t checksum_in_tcp = 16;
constexpr std::size_t checksum_in_udp = 6;

struct Owing {
  Bytes frame;
  std::size_t start;  // of the transport header, from the frame's end
  std::size_t field;  // of the checksum in it
};

// `whole` with nothing but the pseudo header's sum in its checksum field.
Owing owing(Bytes whole, std::size_t header, std::size_t field) {
  const std::size_t at = 14 + header + field;
  const Bytes transport(whole.begin() + 14 + static_cast<std::ptrdiff_t>(header), whole.end());
  Bytes rest = transport;
  put16(rest, field, 0);
  // checksum = ~(pseudo + rest), so pseudo = ~checksum - rest, in ones' complement.
  const u32 sum = static_cast<u16>(~(transport[field] * 256U + transport[field + 1]));
  u32 pseudo = sum + naive_checksum(rest);  // naive_checksum is ~rest
  pseudo = (pseudo & 0xffff) + (pseudo >> 16);
  put16(whole, at, pseudo);
  return {whole, transport.size(), field};
}

// As whoever sends the frame does: from the place that the sender has marked.
Bytes completed(Bytes frame, const Owing& was) {
  const std::size_t start = frame.size() - was.start;
  put16(frame, start + was.field, naive_checksum(View(frame).subspan(start)));
  return frame;
}

struct Sent {
  Verdict verdict;
  Bytes frame;
};

Sent send(World& world, const Bytes& frame, bool owes, u32 segment_payload = 0, u32 ingress = outer_link) {
  FrameBuffer buffer(frame);
  buffer.owes_checksum = owes;
  buffer.segment_payload = segment_payload;
  NativePlatform platform(world.tables(), buffer, world.now, ingress);
  const Verdict verdict = balance(platform);
  const auto left = buffer.frame();
  return {verdict, {left.begin(), left.end()}};
}

TEST(Owed, nat_moves_what_is_owed_along) {
  World world;
  const u32 rs = world.add_rs(2, Method::nat, {.port = 8080});
  world.director.add_service({vip, web, 6}, {rs});
  world.director.add_service({vip, dns, 17}, {rs});
  const Owing tcp_packet = owing(in4().tcp(40000, web, syn).payload(7).bytes(), 20, checksum_in_tcp);
  const Sent sent = send(world, tcp_packet.frame, true);
  EXPECT_EQ(sent.verdict, Verdict::redirect);
  EXPECT_EQ(completed(sent.frame, tcp_packet),
            to_rs(2).ipv4(client, rip(2), {.ttl = 63}).tcp(40000, 8080, syn).payload(7).bytes());
  const Owing udp_packet = owing(in4().udp(40000, dns).payload(8).bytes(), 20, checksum_in_udp);
  EXPECT_EQ(completed(send(world, udp_packet.frame, true).frame, udp_packet),
            to_rs(2).ipv4(client, rip(2), {.ttl = 63}).udp(40000, 8080).payload(8).bytes());
}

TEST(Owed, checksum_of_a_tunnel_covers_what_the_inner_one_will_be) {
  for (const TunnelType type : {TunnelType::gre, TunnelType::gue}) {
    World world;
    const Server like{.tunnel = type, .tunnel_checksum = TunnelChecksum::checksum, .tunnel_port = 6080};
    const u32 rs = world.add_rs(2, Method::tunnel, like);
    world.director.add_service({vip, web, 6}, {rs});
    const Bytes whole = in4().tcp(40000, web, syn).payload(9).bytes();
    const Owing packet = owing(whole, 20, checksum_in_tcp);
    World other;
    const u32 same = other.add_rs(2, Method::tunnel, like);
    other.director.add_service({vip, web, 6}, {same});
    Bytes expected = other.send(whole).frame;
    Bytes got = completed(send(world, packet.frame, true).frame, packet);
    EXPECT_EQ(got.size(), expected.size());
    const std::size_t shim = 14 + 20;  // ids and ports of the two worlds are the same: hash and time are
    EXPECT_EQ(Bytes(got.begin() + static_cast<std::ptrdiff_t>(shim), got.end()),
              Bytes(expected.begin() + static_cast<std::ptrdiff_t>(shim), expected.end()));
  }
}

TEST(Owed, icmp_error_covers_what_it_will_quote) {
  World world;
  const u32 rs = world.add_rs(2, Method::direct);
  world.director.add_service({vip, web, 6}, {rs});
  const Owing packet = owing(in4({.ttl = 1}).tcp(40000, web, syn).payload(9).bytes(), 20, checksum_in_tcp);
  const Sent sent = send(world, packet.frame, true);
  ASSERT_EQ(sent.verdict, Verdict::transmit);
  const Bytes error = completed(sent.frame, packet);
  EXPECT_EQ(naive_checksum(View(error).subspan(14 + 20)), 0);
}

TEST(Owed, packets_in_one_are_judged_by_their_own_length) {
  World world;
  const u32 rs = world.add_rs(2, Method::direct);
  world.director.add_service({vip, web, 6}, {rs});
  const IpFields whole{.dont_fragment = true};
  EXPECT_EQ(send(world, in4(whole).tcp(1, web, syn).payload(5000).bytes(), true, 1460).verdict, Verdict::redirect);
  EXPECT_EQ(send(world, in4(whole).tcp(2, web, syn).payload(5000).bytes(), true, 1461).verdict, Verdict::transmit);
  EXPECT_EQ(world.counted(Reason::too_big), 1U);
}

TEST(Owed, packets_in_one_go_into_a_tunnel_without_its_checksum) {
  World world;
  const u32 rs = world.add_rs(
      2, Method::tunnel, {.tunnel = TunnelType::gue, .tunnel_checksum = TunnelChecksum::checksum, .tunnel_port = 6080});
  world.director.add_service({vip, web, 6}, {rs});
  const Sent sent = send(world, in4().tcp(1, web, syn).payload(5000).bytes(), true, 1000);
  EXPECT_EQ(sent.verdict, Verdict::redirect);
  EXPECT_EQ(sent.frame[14 + 20 + 6] | sent.frame[14 + 20 + 7], 0);
  EXPECT_EQ(world.counted(Reason::tunnel_not_summed), 1U);
}

TEST(Owed, frame_for_the_daemon_says_that_its_checksum_is_owed) {
  World world;
  const u32 hop = world.add_hop(2, 600);
  const u32 rs = world.add_rs(2, Method::direct, {.next_hop = hop});
  world.director.add_service({vip, dns, 17}, {rs});
  for (const bool owes : {false, true}) {
    EXPECT_EQ(send(world, in4().udp(1, dns).payload(1000).bytes(), owes).verdict, Verdict::drop);
    const auto row = std::ranges::find(world.tables().punted, punt_ready, &PuntedFrame::word);
    ASSERT_NE(row, world.tables().punted.end());
    EXPECT_EQ(row->owes_checksum, owes ? 1U : 0U);
    row->word = punt_free;
  }
}

}  // namespace
}  // namespace penstock
