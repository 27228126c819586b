// Frames for the daemon: rows are taken, filled, and run out; and the daemon's run over such a frame.
#include "datapath/core/punt.hpp"

#include <gtest/gtest.h>

#include "tests/packets/world.hpp"

namespace penstock {
namespace {

using namespace packets;

constexpr u16 dns = 53;

struct Punting : World {
  Punting() {
    const u32 hop = add_hop(11, 1400);
    rs = add_rs(11, Method::direct, {.next_hop = hop});
    director.add_service({vip, dns, 17}, {rs});
  }
  u32 ready() { return static_cast<u32>(std::ranges::count(tables().punted, punt_ready, &PuntedFrame::word)); }
  u32 rs = 0;
};

Frame large(u16 port) { return in4().udp(port, dns).payload(1400); }

TEST(Punt, a_packet_to_be_fragmented_is_handed_over_as_it_came) {
  Punting world;
  EXPECT_EQ(world.send(large(1)).verdict, Verdict::drop);
  world.expect_counted(Reason::to_be_fragmented);
  ASSERT_EQ(world.ready(), 1U);
  const PuntedFrame& row = *std::ranges::find(world.tables().punted, punt_ready, &PuntedFrame::word);
  EXPECT_EQ(row.why, Punt::fragmentation);
  EXPECT_EQ(row.interface, outer_link);
  EXPECT_EQ(row.ticks, world.now);
  EXPECT_EQ(hex({row.bytes, row.length}), hex(large(1).bytes()));
}

TEST(Punt, as_long_as_the_mtu_is_not_too_long) {
  Punting world;
  EXPECT_EQ(world.send(in4().udp(1, dns).payload(1372)).interface, inner_link);
  EXPECT_EQ(world.send(in4().udp(1, dns).payload(1373)).verdict, Verdict::drop);
  EXPECT_EQ(world.ready(), 1U);
}

TEST(Punt, rows_run_out_and_what_finds_none_is_counted) {
  Punting world;
  u64 sent = 0;
  for (u16 port = 1001; port < 1001 + 4 * punted_max; ++port, ++sent) (void)world.send(large(port));
  EXPECT_EQ(world.counted(Reason::to_be_fragmented), world.ready());
  EXPECT_EQ(world.counted(Reason::punt_full), sent - world.ready());
  EXPECT_GT(world.ready(), punted_max * 3 / 4);
  for (PuntedFrame& row : world.tables().punted) row.word = punt_free;
  EXPECT_EQ(world.send(large(1)).verdict, Verdict::drop);
  EXPECT_EQ(world.ready(), 1U);
}

TEST(Punt, a_frame_longer_than_a_row_is_not_handed_over_and_holds_no_row) {
  Punting world;
  const Frame longest = in4().udp(1, dns).payload(punted_bytes_max - 42);
  (void)world.send(longest);
  EXPECT_EQ(world.ready(), 1U);
  (void)world.send(in4().udp(1, dns).payload(punted_bytes_max - 41));
  EXPECT_EQ(world.counted(Reason::punt_full), 1U);
  EXPECT_EQ(world.ready(), 1U);
  EXPECT_EQ(std::ranges::count(world.tables().punted, punt_claimed, &PuntedFrame::word), 0);
}

// What the daemon does with it: through the same path, whole, and fragments it afterwards. It was counted when it came.
TEST(Punt, the_daemons_run_sends_it_whole_and_counts_it_once) {
  Punting world;
  (void)world.send(large(1));
  const ServerCounters before = world.tables().counters[world.rs];
  EXPECT_EQ(before.in_packets, 1U);
  FrameBuffer buffer(large(1).bytes());
  NativePlatform platform(world.tables(), buffer, world.now, outer_link, 0, NativePlatform::Run::to_fragment);
  EXPECT_EQ(balance(platform), Verdict::redirect);
  EXPECT_EQ(hex(buffer.frame()), hex(to_rs(11).ipv4(client, vip, {.ttl = 63}).udp(1, dns).payload(1400).bytes()));
  EXPECT_EQ(world.tables().counters[world.rs].in_packets, 1U);
  EXPECT_EQ(world.tables().counters[world.rs].in_bytes, before.in_bytes);
  ASSERT_TRUE(platform.hop());
  EXPECT_EQ(platform.hop()->mtu, 1400U);
}

TEST(Punt, a_fragment_that_waited_is_counted_when_it_goes) {
  Punting world;
  const Frame datagram = in4({.id = 5}).udp(1, dns).payload(1000);
  (void)world.send(datagram.fragment(512, 496));
  (void)world.send(datagram.fragment(0, 512));
  FrameBuffer buffer(datagram.fragment(512, 496).bytes());
  NativePlatform platform(world.tables(), buffer, world.now, outer_link, 0, NativePlatform::Run::after_waiting);
  EXPECT_EQ(balance(platform), Verdict::redirect);
  EXPECT_EQ(world.tables().counters[world.rs].in_packets, 1U);
  EXPECT_EQ(world.tables().counters[world.rs].in_bytes, 1028U);
}

TEST(Punt, to_generic_xdp_a_length_says_nothing) {
  Punting world;
  world.tables().interfaces[outer_link].hook = Hook::generic;
  EXPECT_EQ(world.send(large(1)).interface, inner_link);
}

TEST(Punt, tc_knows_the_length) {
  Punting world;
  world.tables().interfaces[outer_link].hook = Hook::tc;
  EXPECT_EQ(world.send(large(1)).verdict, Verdict::drop);
  EXPECT_EQ(world.counted(Reason::to_be_fragmented), 1U);
}

}  // namespace
}  // namespace penstock
