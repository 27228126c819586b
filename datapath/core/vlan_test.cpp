// VLAN tags: taken off, put on, and kept for those who go to the kernel.
#include "datapath/core/vlan.hpp"

#include <gtest/gtest.h>

#include <set>
#include <string>
#include <tuple>

#include "tests/packets/world.hpp"

namespace penstock {
namespace {

using namespace packets;

constexpr u16 web = 80;
constexpr u16 vlan_service = 0x88a8;

struct Tagged : World {
  explicit Tagged(Method method = Method::direct, u16 hop_vlan = 0) {
    director.add_local_address(inner_address);
    const u32 hop = director.add_next_hop({.source = inner_mac,
                                           .destination = rs_mac(11),
                                           .interface = inner_link,
                                           .mtu = 1400,
                                           .address = inner_address,
                                           .vlan = hop_vlan});
    rs = add_rs(11, method, {.next_hop = hop});
    for (const u8 protocol : {u8{6}, u8{17}}) director.add_service({vip, web, protocol}, {rs});
  }
  u32 rs = 0;
};

Frame tagged_in(u16 control, u16 type = 0x8100) { return from_client().vlan(control, type).ipv4(client, vip); }

TEST(Vlan, a_tagged_frame_leaves_without_a_tag_where_there_is_none) {
  for (const u16 control : {u16{7}, u16{0xe007}, u16{0x0fff}, u16{0}, u16{0x2000}}) {
    for (const u16 type : {u16{0x8100}, vlan_service}) {
      Tagged world;
      expect_frame(world.send(tagged_in(control, type).udp(1, web).payload(9)),
                   to_rs(11).ipv4(client, vip, {.ttl = 63}).udp(1, web).payload(9), inner_link);
    }
  }
}

TEST(Vlan, a_frame_leaves_with_the_tag_of_its_way) {
  for (const bool tagged : {false, true}) {
    Tagged world(Method::direct, 42);
    const Frame ends = tagged ? tagged_in(7) : in4();
    expect_frame(world.send(ends.udp(1, web).payload(9)),
                 to_rs(11).vlan(42).ipv4(client, vip, {.ttl = 63}).udp(1, web).payload(9), inner_link);
  }
}

TEST(Vlan, into_a_tunnel_too) {
  Tagged world(Method::tunnel, 42);
  const Frame inner = in4({.ttl = 63, .dont_fragment = true}).udp(1, web).payload(9);
  expect_frame(world.send(from_client().vlan(7).ipv4(client, vip, {.dont_fragment = true}).udp(1, web).payload(9)),
               to_rs(11)
                   .vlan(42)
                   .ipv4(inner_address, rip(11), {.ttl = 63, .dont_fragment = true})
                   .protocol(4)
                   .payload(inner.packet()),
               inner_link);
}

TEST(Vlan, answers_go_back_under_the_clients_tag) {
  for (const Method method : {Method::nat, Method::fullnat}) {
    Tagged world(method, 42);
    const PacketResult sent = world.send(tagged_in(7).udp(40000, web));
    const u16 port = static_cast<u16>(sent.frame.at(38) << 8 | sent.frame.at(39));
    const std::string to = method == Method::nat ? client : inner_address;
    const Frame reply = eth(rs_mac(11), inner_mac).vlan(42).ipv4(rip(11), to).udp(web, port).payload(3);
    expect_frame(world.reply(reply), to_client().vlan(7).ipv4(vip, client, {.ttl = 63}).udp(web, 40000).payload(3),
                 outer_link);
  }
}

TEST(Vlan, errors_go_back_under_the_tag_of_the_packet) {
  for (const u16 type : {u16{0x8100}, vlan_service}) {
    Tagged world;
    const Frame last = tagged_in(7, type).udp(1, web);
    Frame expected = to_client().vlan(7, type).ipv4(vip, client, {.tos = 0xc0}).icmp(11, 0);
    const Frame quoted = from_client().ipv4(client, vip, {.ttl = 1}).udp(1, web);
    expect_frame(world.send(from_client().vlan(7, type).ipv4(client, vip, {.ttl = 1}).udp(1, web)),
                 expected.payload(quoted.packet()), outer_link);
  }
}

TEST(Vlan, what_is_the_kernels_stays_as_it_was) {
  const Frame frames[] = {
      tagged_in(7).udp(1, 9999),
      tagged_in(7, vlan_service).udp(1, 9999),
      tagged_in(0).udp(1, 9999),
      from_client().vlan(7, vlan_service).vlan(8).ipv4(client, vip).udp(1, web),
      from_client().vlan(7).vlan(8).ipv4(client, vip).udp(1, web),
      from_client().vlan(7).ipv4(client, "203.0.113.5").udp(1, web),
      from_client().vlan(7).ethertype(0x0806).payload(28),
      eth(client_mac, {2, 9, 9, 9, 9, 9}).vlan(7).ipv4(client, vip).udp(1, web),
  };
  for (const Frame& frame : frames) {
    SCOPED_TRACE(&frame - frames);
    Tagged world;
    const PacketResult result = world.send(frame);
    EXPECT_EQ(result.verdict, Verdict::pass);
    EXPECT_EQ(hex(result.frame), hex(frame.bytes()));
  }
}

TEST(Vlan, a_tag_that_is_cut_off_is_not_taken) {
  Tagged world;
  const Bytes whole = tagged_in(7).udp(1, web).bytes();
  for (std::size_t length = 0; length < 46; ++length) {
    const PacketResult result = world.send({whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(length)});
    EXPECT_EQ(result.verdict, Verdict::pass) << length;
    EXPECT_EQ(result.frame.size(), length);
  }
}

TEST(Vlan, the_daemon_gets_frames_and_their_tags_beside_them) {
  Tagged world;
  const auto early = [](const Frame& frame) {
    return frame.ipv4(client, vip, {.id = 3}).udp(1, web).payload(500).fragment(256, 128);
  };
  const auto large = [](const Frame& frame) { return frame.ipv4(client, vip).udp(1, web).payload(1400); };
  EXPECT_EQ(world.send(early(from_client().vlan(7, vlan_service))).verdict, Verdict::drop);
  EXPECT_EQ(world.send(large(from_client().vlan(7))).verdict, Verdict::drop);
  using Handed = std::tuple<std::string, u16, u16>;
  std::set<Handed> handed;
  for (const PuntedFrame& row : world.tables().punted)
    if (row.word == punt_ready)
      handed.emplace(hex({row.bytes, row.length}), host(row.tag_type), static_cast<u16>(host(row.tag_control) & 0xfff));
  EXPECT_EQ(handed, (std::set{Handed{hex(early(from_client()).bytes()), vlan_service, 7},
                              Handed{hex(large(from_client()).bytes()), 0x8100, 7}}));
}

TEST(Vlan, without_room_for_the_tag_the_packet_is_dropped_under_a_name) {
  for (const std::size_t headroom : {2U, 6U}) {
    Tagged world(Method::direct, 42);
    FrameBuffer buffer = with_headroom(in4().udp(1, web).bytes(), headroom);
    NativePlatform platform(world.tables(), buffer, world.now, outer_link);
    EXPECT_EQ(balance(platform), headroom == 6 ? Verdict::redirect : Verdict::drop);
    EXPECT_EQ(world.counted(Reason::no_room), headroom == 6 ? 0U : 1U);
  }
}

// The longest way through the stages: tag, fragment, a real server as a client, persistence, nat, and an end that is refused.
TEST(Vlan, the_longest_way_comes_to_its_end) {
  for (const Method method : {Method::nat, Method::fullnat}) {
    Tagged world(method);
    world.director.find_service({vip, web, 17}).flags = service_persistent;
    world.director.find_service({vip, web, 17}).persistence_ticks = 1000;
    world.director.find_service({vip, web, 17}).netmask = 0xffffffff;
    const Frame frame =
        eth(rs_mac(11), inner_mac).vlan(7).ipv4(rip(11), vip, {.ttl = 1, .id = 4}).udp(1, web).payload(100);
    EXPECT_EQ(world.reply(frame.fragment(0, 64)).verdict, Verdict::transmit);
    EXPECT_EQ(world.counted(Reason::ttl_exceeded), 1U);
    EXPECT_EQ(world.counted(Reason::bug), 0U);
  }
}

}  // namespace
}  // namespace penstock
