// Firewall marks: which rule means a packet, and which service a mark leads to.
#include "datapath/core/mark.hpp"

#include <gtest/gtest.h>

#include "tests/packets/world.hpp"

namespace penstock {
namespace {

using namespace packets;

// Services of marks 1 to 9: the server's number is the mark.
struct Marked : World {
  Marked() {
    for (u32 mark = 1; mark <= 9; ++mark) {
      const u32 rs = add_rs(mark, Method::direct);
      director.add_service({.vip = vip, .mark = mark}, {rs});
      director.add_service({.vip = vip6, .mark = mark}, {rs});
    }
  }
  // 0: no service took it.
  u32 mark_of(const Frame& frame) {
    const PacketResult result = send(frame);
    return result.verdict == Verdict::redirect ? result.frame.at(5) : 0;
  }
  u16 fresh() { return next_port_++; }

 private:
  u16 next_port_ = 1001;
};

TEST(Mark, a_rule_of_a_family_means_all_of_its_packets) {
  Marked world;
  world.director.add_mark({.mark = 3, .family = Family::ipv4});
  EXPECT_EQ(world.mark_of(from_client().ipv4(client, "203.0.113.77").udp(1, 2)), 3U);
  EXPECT_EQ(world.mark_of(from_client().ipv4(client, vip).tcp(1, 2, syn)), 3U);
  EXPECT_EQ(world.mark_of(from_client().ipv6(client6, vip6).udp(1, 2)), 0U);
}

TEST(Mark, the_last_rule_that_matches_counts) {
  Marked world;
  world.director.add_mark({.mark = 1, .family = Family::ipv4});
  world.director.add_mark({.mark = 2, .family = Family::ipv4, .protocol = 6});
  world.director.add_mark({.mark = 3, .family = Family::ipv4, .protocol = 17});
  EXPECT_EQ(world.mark_of(in4().tcp(1, 80, syn)), 2U);
  EXPECT_EQ(world.mark_of(in4().udp(1, 80)), 3U);
  EXPECT_EQ(world.mark_of(in4().sctp(1, 80, 1)), 1U);
}

TEST(Mark, prefixes_of_both_ends_at_every_length) {
  for (u32 bits = 0; bits <= 32; ++bits) {
    Marked world;
    world.director.add_mark({.mark = 1, .family = Family::ipv4, .destination = vip, .destination_bits = bits});
    world.director.add_mark({.mark = 2,
                             .family = Family::ipv4,
                             .destination = vip,
                             .destination_bits = 32,
                             .source = client,
                             .source_bits = bits});
    // The address with the bit behind the prefix, and the one before, the other way round.
    const auto flipped = [](const std::string& text, u32 bit) {
      Bytes bytes = address_bytes(text);
      bytes[bit / 8] = static_cast<u8>(bytes[bit / 8] ^ 0x80U >> (bit % 8));
      return std::to_string(bytes[0]) + "." + std::to_string(bytes[1]) + "." + std::to_string(bytes[2]) + "." +
             std::to_string(bytes[3]);
    };
    const auto to = [&](const std::string& source, const std::string& destination) {
      return world.mark_of(from_client().ipv4(source, destination).udp(world.fresh(), 2));
    };
    if (bits > 0) {
      EXPECT_EQ(to(client, flipped(vip, bits - 1)), 0U) << bits;
    }
    if (bits < 32) {
      EXPECT_EQ(to(client, flipped(vip, bits)), 1U) << bits;
    }
    if (bits > 3) {  // else it is no unicast address
      EXPECT_EQ(to(flipped(client, bits - 1), vip), 1U) << bits;
    }
    if (bits > 3 && bits < 32) {
      EXPECT_EQ(to(flipped(client, bits), vip), 2U) << bits;
    }
  }
}

TEST(Mark, prefixes_of_ipv6) {
  Marked world;
  world.director.add_mark(
      {.mark = 1, .family = Family::ipv6, .destination = "fd12:3456:789a::", .destination_bits = 48});
  world.director.add_mark(
      {.mark = 2, .family = Family::ipv6, .destination = "fd12:3456:789a:1::5", .destination_bits = 127});
  const auto to = [&](const std::string& address) {
    return world.mark_of(from_client().ipv6(client6, address).udp(world.fresh(), 2));
  };
  EXPECT_EQ(to("fd12:3456:789a:ffff::1"), 1U);
  EXPECT_EQ(to("fd12:3456:789b::1"), 0U);
  EXPECT_EQ(to("fd12:3456:789a:1::4"), 2U);
  EXPECT_EQ(to("fd12:3456:789a:1::5"), 2U);
  EXPECT_EQ(to("fd12:3456:789a:1::6"), 1U);
}

TEST(Mark, port_ranges_include_both_ends) {
  Marked world;
  world.director.add_mark({.mark = 1, .family = Family::ipv4, .source_ports = {{1000, 1000}, {2000, 3000}}});
  world.director.add_mark({.mark = 2, .family = Family::ipv4, .destination_ports = {{80, 80}, {0, 9}, {65530, 65535}}});
  const auto mark = [&](u16 from, u16 to) { return world.mark_of(in4().udp(from, to)); };
  EXPECT_EQ(mark(999, 100), 0U);
  EXPECT_EQ(mark(1000, 100), 1U);
  EXPECT_EQ(mark(1001, 100), 0U);
  EXPECT_EQ(mark(1999, 100), 0U);
  EXPECT_EQ(mark(2000, 100), 1U);
  EXPECT_EQ(mark(3000, 100), 1U);
  EXPECT_EQ(mark(3001, 100), 0U);
  for (const auto& [port, expected] :
       {std::pair<u16, u32>{0, 2}, {9, 2}, {10, 0}, {79, 0}, {80, 2}, {81, 0}, {65529, 0}, {65530, 2}, {65535, 2}})
    EXPECT_EQ(mark(500, port), expected) << port;
}

TEST(Mark, fifteen_port_ranges_are_all_looked_at) {
  Marked world;
  Marking marking{.mark = 1, .family = Family::ipv4};
  for (u16 i = 0; i < mark_port_ranges_max; ++i)
    marking.destination_ports.push_back({static_cast<u16>(100 * i + 100), static_cast<u16>(100 * i + 100)});
  world.director.add_mark(marking);
  for (u16 i = 0; i < mark_port_ranges_max; ++i)
    EXPECT_EQ(world.mark_of(in4().udp(1, static_cast<u16>(100 * i + 100))), 1U) << i;
  EXPECT_EQ(world.mark_of(in4().udp(1, 1600)), 0U);
}

TEST(Mark, sixty_four_rules_are_all_looked_at) {
  Marked world;
  for (u16 i = 0; i < mark_rules_max; ++i)
    world.director.add_mark({.mark = 1, .family = Family::ipv4, .destination_ports = {{i, i}}});
  for (u16 i = 0; i < mark_rules_max; ++i) EXPECT_EQ(world.mark_of(in4().udp(1, i)), 1U) << i;
  EXPECT_EQ(world.mark_of(in4().udp(1, mark_rules_max)), 0U);
}

TEST(Mark, a_marked_service_comes_before_one_by_address_and_a_mark_without_a_service_is_none) {
  Marked world;
  const u32 rs = world.add_rs(77, Method::direct);
  world.director.add_service({vip, 80, 6}, {rs});
  EXPECT_EQ(world.mark_of(in4().tcp(1, 80, syn)), 77U);
  world.director.add_mark({.mark = 2, .family = Family::ipv4});
  EXPECT_EQ(world.mark_of(in4().tcp(2, 80, syn)), 2U);
  world.director.add_mark({.mark = 99, .family = Family::ipv4});
  EXPECT_EQ(world.mark_of(in4().tcp(3, 80, syn)), 77U);
}

TEST(Mark, a_connection_is_found_without_asking_for_its_mark_again) {
  Marked world;
  world.director.add_mark({.mark = 2, .family = Family::ipv4});
  EXPECT_EQ(world.mark_of(in4().tcp(1, 80, syn)), 2U);
  world.settings().mark_rules = 0;
  EXPECT_EQ(world.mark_of(in4().tcp(1, 80, ack)), 2U);
}

// IPVS: cache_bypass
TEST(Mark, without_a_server_packets_of_a_cache_pass_by_it) {
  Marked world;
  world.settings().cache_bypass = 1;
  world.director.reschedule({.vip = vip, .mark = 2}, {});
  world.director.add_mark({.mark = 2, .family = Family::ipv4});
  const Frame frame = from_client().ipv4(client, "203.0.113.9").tcp(1, 80, syn);
  const PacketResult result = world.send(frame);
  EXPECT_EQ(result.verdict, Verdict::pass);
  EXPECT_EQ(hex(result.frame), hex(frame.bytes()));
  world.expect_counted(Reason::pass_bypass);
  EXPECT_EQ(static_cast<Method>(world.record(1).traits & 7), Method::bypass);
  EXPECT_EQ(world.send(from_client().ipv4(client, "203.0.113.9").tcp(1, 80, ack)).verdict, Verdict::pass);
  EXPECT_EQ(world.counted(Reason::pass_bypass), 2U);
  // Not to the director itself, and not without the setting.
  world.director.add_own(vip, 32);
  EXPECT_EQ(world.send(in4().tcp(1, 80, syn)).verdict, Verdict::transmit);
  world.settings().cache_bypass = 0;
  EXPECT_EQ(world.send(from_client().ipv4(client, "203.0.113.9").tcp(2, 80, syn)).verdict, Verdict::transmit);
  EXPECT_EQ(world.counted(Reason::no_destination), 2U);
}

}  // namespace
}  // namespace penstock
