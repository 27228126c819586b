#include "control/fragmenter.hpp"

#include <gtest/gtest.h>

#include "tests/packets/frame.hpp"

namespace penstock::control {
namespace {

using packets::Bytes;
using packets::eth;
using packets::Frame;
using packets::IpFields;

constexpr packets::Mac from = {2, 0, 0, 0, 0, 1};
constexpr packets::Mac to = {2, 0, 0, 0, 0, 2};

Frame ipv4(const IpFields& ip = {.id = 77}) { return eth(from, to).ipv4("198.51.100.7", "192.0.2.1", ip); }
Frame ipv6(const IpFields& ip = {.id = 77}) { return eth(from, to).ipv6("2001:db8::7", "2001:db8::1", ip); }

using Frames = std::vector<Bytes>;

TEST(Fragmenter, ipv4_datagram_is_cut_at_multiples_of_eight) {
  const Frame datagram = ipv4().udp(2000, 53).payload(3000);
  EXPECT_EQ(fragment(datagram.bytes(), 1500, 0),
            (Frames{datagram.fragment(0, 1480), datagram.fragment(1480, 1480), datagram.fragment(2960, 48)}));
  EXPECT_EQ(fragment(datagram.bytes(), 1499, 0),
            (Frames{datagram.fragment(0, 1472), datagram.fragment(1472, 1472), datagram.fragment(2944, 64)}));
}

TEST(Fragmenter, what_fits_stays_as_it_is) {
  const Frame datagram = ipv4().udp(2000, 53).payload(1001);
  const Frame datagram6 = ipv6().udp(2000, 53).payload(1001);
  EXPECT_EQ(fragment(datagram.bytes(), 1029, 0), Frames{datagram});
  EXPECT_EQ(fragment(datagram.bytes(), 1028, 0).size(), 2U);
  EXPECT_EQ(fragment(datagram6.bytes(), 1049, 0), Frames{datagram6});
  EXPECT_EQ(fragment(datagram6.bytes(), 1048, 0).size(), 2U);
  const Frame padded = ipv4().udp(2000, 53).payload(1).padded_to(60);
  EXPECT_EQ(fragment(padded.bytes(), 1500, 0), Frames{padded});
}

TEST(Fragmenter, ethernets_padding_is_no_payload) {
  const Frame datagram = ipv4().udp(2000, 53).payload(100);
  EXPECT_EQ(fragment(datagram.padded_to(200).bytes(), 100, 0),
            (Frames{datagram.fragment(0, 80), datagram.fragment(80, 28)}));
}

TEST(Fragmenter, ipv4_fragment_is_cut_again) {
  const Frame datagram = ipv4().udp(2000, 53).payload(3000);
  EXPECT_EQ(fragment(datagram.fragment(800, 1600).bytes(), 1000, 0),
            (Frames{datagram.fragment(800, 976), datagram.fragment(1776, 624)}))
      << "more fragments follow the last of them";
  EXPECT_EQ(fragment(datagram.fragment(2400, 608).bytes(), 500, 0),
            (Frames{datagram.fragment(2400, 480), datagram.fragment(2880, 128)}));
}

TEST(Fragmenter, ipv4_options_follow_if_they_say_so) {
  // Strict source route (copied), record route, timestamp (not copied), end.
  const Bytes options{0x89, 7, 4, 1, 2, 3, 4, 1, 7, 3, 4, 68, 4, 5, 0, 0};
  const Bytes later{0x89, 7, 4, 1, 2, 3, 4, 1, 1, 1, 1, 1, 1, 1, 1, 0};
  const auto datagram = [](const Bytes& present) {
    return ipv4({.id = 77, .options = present}).udp(2000, 53).payload(100);
  };
  EXPECT_EQ(fragment(datagram(options).bytes(), 100, 0),
            (Frames{datagram(options).fragment(0, 64), datagram(later).fragment(64, 44)}));
}

TEST(Fragmenter, options_that_overrun_the_header_are_left_alone) {
  for (const Bytes& options : {Bytes{7, 40, 0, 0}, Bytes{7, 0, 0, 0}, Bytes{1, 1, 1, 7}}) {
    const Frame datagram = ipv4({.options = options}).udp(2000, 53).payload(100);
    EXPECT_EQ(fragment(datagram.bytes(), 100, 0), (Frames{datagram.fragment(0, 72), datagram.fragment(72, 36)}));
  }
}

TEST(Fragmenter, vlan_tags_stay) {
  const auto datagram = [](const Frame& outside) {
    return outside.ipv4("198.51.100.7", "192.0.2.1").udp(2000, 53).payload(100);
  };
  const Frame tagged = datagram(eth(from, to).vlan(100));
  const Frame twice = datagram(eth(from, to).vlan(7, 0x88a8).vlan(100));
  EXPECT_EQ(fragment(tagged.bytes(), 100, 0), (Frames{tagged.fragment(0, 80), tagged.fragment(80, 28)}));
  EXPECT_EQ(fragment(twice.bytes(), 100, 0), (Frames{twice.fragment(0, 80), twice.fragment(80, 28)}));
}

TEST(Fragmenter, ipv6_packet_gets_a_fragment_header_with_the_id) {
  const Frame datagram = ipv6({.id = 4711}).udp(2000, 53).payload(3000);
  EXPECT_EQ(fragment(datagram.bytes(), 1500, 4711),
            (Frames{datagram.fragment(0, 1448), datagram.fragment(1448, 1448), datagram.fragment(2896, 112)}));
}

TEST(Fragmenter, ipv6_fragment_is_cut_again_and_keeps_its_id) {
  const Frame datagram = ipv6().udp(2000, 53).payload(3000);
  EXPECT_EQ(fragment(datagram.fragment(800, 1600).bytes(), 1280, 4711),
            (Frames{datagram.fragment(800, 1232), datagram.fragment(2032, 368)}));
}

TEST(Fragmenter, ipv6_headers_for_routers_stay_before_the_fragment_header) {
  const Frame hops = ipv6().extension(0).udp(2000, 53).payload(200);
  EXPECT_EQ(fragment(hops.bytes(), 128, 77),
            (Frames{hops.fragment(0, 72), hops.fragment(72, 72), hops.fragment(144, 64)}));
  const Frame routed = ipv6().extension(60).extension(43).udp(2000, 53).payload(80);
  EXPECT_EQ(fragment(routed.bytes(), 128, 77), (Frames{routed.fragment(0, 64), routed.fragment(64, 24)}));
}

TEST(Fragmenter, ipv6_options_for_the_destination_behind_a_routing_header_are_payload) {
  const Frame whole = ipv6().extension(43).extension(60).udp(2000, 53).payload(80);
  const auto frames = fragment(whole.bytes(), 128, 77);
  ASSERT_EQ(frames.size(), 2U);
  constexpr std::size_t routing_header = 14 + 40;
  EXPECT_EQ(frames[0][routing_header], 44);
  EXPECT_EQ(frames[0][routing_header + 8], 60) << "the fragment header names the options";
  Bytes put_together(frames[0].begin() + routing_header + 16, frames[0].end());
  packets::append(put_together, packets::View(frames[1]).subspan(routing_header + 16));
  EXPECT_TRUE(std::ranges::equal(put_together, packets::View(whole.bytes()).subspan(routing_header + 8)));
}

TEST(Fragmenter, what_may_not_or_can_not_be_cut_gives_nothing) {
  const Frame datagram = ipv4().udp(2000, 53).payload(100);
  const Frame datagram6 = ipv6().udp(2000, 53).payload(100);
  EXPECT_TRUE(fragment(ipv4({.dont_fragment = true}).udp(2000, 53).payload(100).bytes(), 100, 0).empty());
  EXPECT_TRUE(fragment(eth(from, to).ethertype(0x0806).payload(100).bytes(), 60, 0).empty());
  EXPECT_EQ(fragment(datagram.bytes(), 28, 0).size(), 14U);
  EXPECT_TRUE(fragment(datagram.bytes(), 27, 0).empty()) << "no room for eight bytes";
  EXPECT_TRUE(fragment(datagram.bytes(), 0, 0).empty());
  EXPECT_EQ(fragment(datagram6.bytes(), 56, 0).size(), 14U);
  EXPECT_TRUE(fragment(datagram6.bytes(), 55, 0).empty());
  EXPECT_TRUE(fragment(datagram6.bytes(), 0, 0).empty());
}

TEST(Fragmenter, offset_beyond_thirteen_bits_is_none) {
  const auto at = [](u16 units) {
    return ipv4({.more_fragments = true, .fragment_offset = units}).protocol(17).payload(160).bytes();
  };
  EXPECT_EQ(fragment(at(8181), 100, 0).size(), 2U);
  EXPECT_TRUE(fragment(at(8182), 100, 0).empty());
}

TEST(Fragmenter, truncated_and_contradicting_frames_give_nothing) {
  const Frame frames[] = {ipv4({.options = Bytes(8, 1)}).udp(2000, 53).payload(100),
                          ipv6().extension(0).extension(43).udp(2000, 53).payload(100).fragment(8, 64),
                          eth(from, to).vlan(1).ipv4("198.51.100.7", "192.0.2.1").udp(2000, 53).payload(100)};
  for (const Frame& frame : frames) {
    const Bytes whole = frame.bytes();
    for (std::size_t length = 0; length < whole.size(); ++length) {
      const Bytes part(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(length));
      EXPECT_TRUE(fragment(part, 88, 0).empty()) << length;
    }
  }
  Bytes short_header = ipv4().udp(2000, 53).payload(100).bytes();
  short_header[14] = 0x44;
  EXPECT_TRUE(fragment(short_header, 88, 0).empty());
  Bytes endless = ipv6().extension(0).udp(2000, 53).payload(100).bytes();
  endless[14 + 40 + 1] = 255;
  EXPECT_TRUE(fragment(endless, 88, 0).empty());
}

}  // namespace
}  // namespace penstock::control
