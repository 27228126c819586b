// fullnat from an IPv6 virtual address to an IPv4 real server: what the server gets, what the client gets back, errors, fragments.
#include "datapath/core/translate_family.hpp"

#include <gtest/gtest.h>

#include "tests/packets/soundness.hpp"
#include "tests/packets/world.hpp"

namespace penstock {
namespace {

using namespace packets;

constexpr u16 web = 80;
constexpr u16 inside = 8080;
const std::string lip = "10.0.0.2";

// 20 bytes: kind 254, length, the client's port and address.
Bytes toa(u16 port, u8 kind = 254) {
  Bytes option{kind, 20};
  append16(option, port);
  append(option, address_bytes(client6));
  return option;
}

struct TranslateFamily : World {
  explicit TranslateFamily(u32 mtu = 1500, const Config& config = World::small()) : World(config) {
    director.add_local_address(lip);
    rs = add_rs(11, Method::fullnat, {.next_hop = add_hop(11, mtu), .port = inside});
    for (const u8 protocol : {u8{6}, u8{17}, u8{132}}) director.add_service({vip6, web, protocol}, {rs});
  }

  // The local port of the connection that the packet belongs to.
  u16 connect(const Frame& first) {
    const PacketResult sent = send(first);
    EXPECT_EQ(sent.verdict, Verdict::redirect);
    return static_cast<u16>(sent.frame.at(34) << 8 | sent.frame.at(35));
  }

  u32 rs = 0;
};

// As the server gets it; up to 1260 bytes with a name of its own and leave to be fragmented (RFC 7915 §5.1).
Frame there(const IpFields& ip = {.ttl = 63}) { return to_rs(11).ipv4(lip, rip(11), ip); }
Frame answer(const IpFields& ip = {}) { return from_rs(11).ipv4(rip(11), lip, ip); }
Frame back(const IpFields& ip = {.ttl = 63}) { return to_client().ipv6(vip6, client6, ip); }

u16 id_of(const PacketResult& result) { return static_cast<u16>(result.frame.at(18) << 8 | result.frame.at(19)); }

// `expected` makes a frame with the fields of IPv4 that are given it.
template <typename Expected>
void expect_named(const PacketResult& result, Expected expected, IpFields ip = {.ttl = 63}) {
  ip.id = id_of(result);
  expect_frame(result, expected(ip), inner_link);
}

TEST(TranslateFamilyWays, a_request_goes_as_ipv4_and_its_reply_comes_back_as_ipv6) {
  for (const u8 protocol : {u8{6}, u8{17}, u8{132}}) {
    SCOPED_TRACE(int{protocol});
    TranslateFamily world;
    const auto transport = [protocol](const Frame& frame, u16 from, u16 to, u8 flags) {
      return protocol == 6    ? frame.tcp(from, to, flags).payload(9)
             : protocol == 17 ? frame.udp(from, to).payload(9)
                              : frame.sctp(from, to, flags == syn ? 1 : 2);
    };
    const PacketResult sent = world.send(transport(in6(), 40000, web, syn));
    const u16 port = static_cast<u16>(sent.frame.at(34) << 8 | sent.frame.at(35));
    EXPECT_GE(port, 1024);
    expect_named(sent, [&](const IpFields& ip) { return transport(there(ip), port, inside, syn); });
    expect_frame(world.reply(transport(answer(), inside, port, syn | ack)), transport(back(), web, 40000, syn | ack),
                 outer_link);
    world.expect_counted(std::nullopt);
    world.expect_order();
    EXPECT_EQ(world.tables().counters[world.rs].in_packets, 1U);
    EXPECT_EQ(world.tables().counters[world.rs].out_packets, 1U);
    EXPECT_EQ(world.tables().counters[world.rs].in_bytes, transport(in6(), 1, 1, syn).packet().size());
    EXPECT_EQ(world.tables().counters[world.rs].out_bytes, transport(answer(), 1, 1, ack).packet().size());
  }
}

TEST(TranslateFamilyWays, class_and_hop_limit_go_over_and_a_flow_label_is_dropped) {
  TranslateFamily world;
  Bytes request = in6({.ttl = 9, .tos = 0xb9}).udp(40000, web).bytes();
  request[15] |= 0x0f;
  request[16] = 0x12;
  request[17] = 0x34;
  const PacketResult sent = world.send(request);
  const u16 port = static_cast<u16>(sent.frame.at(34) << 8 | sent.frame.at(35));
  expect_named(sent, [&](const IpFields& ip) { return there(ip).udp(port, inside); }, {.ttl = 8, .tos = 0xb9});
  expect_frame(world.reply(answer({.ttl = 200, .tos = 0x45, .id = 77}).udp(inside, port)),
               back({.ttl = 199, .tos = 0x45}).udp(web, 40000), outer_link);
}

TEST(TranslateFamilyWays, both_ends_of_every_size_are_right) {
  TranslateFamily world;
  const u16 port = world.connect(in6().udp(40000, web));
  for (std::size_t length = 0; length <= 1452; length += length < 64 ? 1 : 97) {
    SCOPED_TRACE(length);
    const PacketResult sent = world.send(in6().udp(40000, web).payload(length));
    if (28 + length <= 1260) {
      expect_named(sent, [&](const IpFields& ip) { return there(ip).udp(port, inside).payload(length); });
    } else {
      expect_frame(sent, there({.ttl = 63, .dont_fragment = true}).udp(port, inside).payload(length), inner_link);
    }
    expect_frame(world.reply(answer({.dont_fragment = true}).udp(inside, port).payload(length)),
                 back().udp(web, 40000).payload(length), outer_link);
  }
  world.expect_counted(std::nullopt);
}

TEST(TranslateFamilyWays, what_may_be_fragmented_has_a_name_and_what_may_not_has_none) {
  TranslateFamily world;
  const u16 port = world.connect(in6().udp(40000, web));
  const auto of = [&](std::size_t length) { return world.send(in6().udp(40000, web).payload(length)); };
  EXPECT_EQ(of(1232).frame.at(20), 0x00);
  EXPECT_EQ(of(1233).frame.at(20), 0x40);
  expect_frame(of(1233), there({.ttl = 63, .id = 0, .dont_fragment = true}).udp(port, inside).payload(1233),
               inner_link);
  std::set<u16> ids;
  for (u32 i = 0; i < 50; ++i) ids.insert(id_of(world.send(in6().udp(40000, web).payload(Bytes{static_cast<u8>(i)}))));
  EXPECT_GT(ids.size(), 45U);
}

TEST(TranslateFamilyWays, extension_headers_and_ip_options_end_here) {
  TranslateFamily world;
  const u16 port = world.connect(in6().udp(40000, web));
  expect_named(world.send(in6().extension(0).extension(60, Bytes(14)).udp(40000, web).payload(5)),
               [&](const IpFields& ip) { return there(ip).udp(port, inside).payload(5); });
  for (std::size_t options = 4; options <= 40; options += 4)
    expect_frame(world.reply(answer({.options = Bytes(options, 1)}).udp(inside, port).payload(5)),
                 back().udp(web, 40000).payload(5), outer_link);
}

TEST(TranslateFamilyWays, of_a_vlan_go_back_with_its_tag) {
  TranslateFamily world;
  const PacketResult sent = world.send(from_client().vlan(42).ipv6(client6, vip6).udp(40000, web));
  const u16 port = static_cast<u16>(sent.frame.at(34) << 8 | sent.frame.at(35));
  expect_frame(world.reply(answer().udp(inside, port).payload(3)),
               to_client().vlan(42).ipv6(vip6, client6, {.ttl = 63}).udp(web, 40000).payload(3), outer_link);
}

TEST(TranslateFamilyWays, one_service_may_have_servers_of_both_families) {
  TranslateFamily world;
  world.director.add_local_address("fd00::2");
  const u32 rs6 = world.add_rs6(12, Method::fullnat, {.port = inside});
  world.director.reschedule({vip6, web, 17}, {world.rs, rs6});
  std::set<u8> versions;
  for (u16 port = 1; port <= 2; ++port) {
    const PacketResult sent = world.send(in6().udp(port, web));
    EXPECT_EQ(unsound(ip_packet_of(sent.frame)), "");
    versions.insert(sent.frame.at(14) >> 4);
  }
  EXPECT_EQ(versions, (std::set<u8>{4, 6}));
  world.expect_order();
}

TEST(TranslateFamilyWays, states_follow_both_directions) {
  TranslateFamily world;
  const auto state = [&] { return static_cast<TcpState>(state_bits(world.record(40000).word)); };
  const u16 port = world.connect(in6().tcp(40000, web, syn));
  (void)world.reply(answer().tcp(inside, port, syn | ack));
  (void)world.send(in6().tcp(40000, web, ack));
  EXPECT_EQ(state(), TcpState::established);
  (void)world.reply(answer().tcp(inside, port, fin | ack));
  EXPECT_EQ(state(), TcpState::fin_wait);
}

TEST(TranslateFamilyWays, a_client_that_moved_is_answered_where_it_is) {
  TranslateFamily world;
  const u16 port = world.connect(in6().udp(1, web));
  const Mac moved{2, 0, 0, 0, 0, 0xc2};
  (void)world.send(eth(moved, director_mac).ipv6(client6, vip6).udp(1, web));
  EXPECT_EQ(hex(world.reply(answer().udp(inside, port)).frame),
            hex(eth(director_mac, moved).ipv6(vip6, client6, {.ttl = 63}).udp(web, 1).bytes()));
}

TEST(TranslateFamilyChecksums, are_right_whatever_they_were) {
  TranslateFamily world;
  const u16 udp = world.connect(in6().udp(40000, web));
  const u16 tcp = world.connect(in6().tcp(40000, web, syn));
  world.settings().toa_kind = 0;
  for (u32 value = 0; value < 0x10000; ++value) {
    const Bytes word{static_cast<u8>(value >> 8), static_cast<u8>(value)};
    const PacketResult sent = world.send(in6().udp(40000, web).payload(word));
    ASSERT_EQ(hex(sent.frame), hex(there({.ttl = 63, .id = id_of(sent)}).udp(udp, inside).payload(word).bytes()));
    const PacketResult answered = world.reply(answer({.id = static_cast<u16>(value)}).udp(inside, udp).payload(word));
    ASSERT_EQ(hex(answered.frame), hex(back().udp(web, 40000).payload(word).bytes())) << value;
    const PacketResult segment = world.reply(answer().tcp(inside, tcp, ack, {.sequence = value}));
    ASSERT_EQ(hex(segment.frame), hex(back().tcp(web, 40000, ack, {.sequence = value}).bytes())) << value;
  }
}

// RFC 8200 §8.1: IPv6 wants one.
TEST(TranslateFamilyChecksums, a_udp_checksum_of_zero_is_made) {
  TranslateFamily world;
  const u16 port = world.connect(in6().udp(40000, web));
  for (std::size_t length : {0U, 1U, 2U, 3U, 64U, 1400U})
    expect_frame(world.reply(answer().udp(inside, port).without_checksum().payload(length)),
                 back().udp(web, 40000).payload(length), outer_link);
  expect_named(world.send(in6().udp(40000, web).without_checksum().payload(7)),
               [&](const IpFields& ip) { return there(ip).udp(port, inside).payload(7); });
}

TEST(TranslateFamilyToa, tells_the_ipv6_address_in_an_ipv4_packet) {
  TranslateFamily world;
  const u16 port = world.connect(in6().tcp(40000, web, syn));
  (void)world.reply(answer().tcp(inside, port, syn | ack));
  for (std::size_t length : {0U, 1U, 501U, 1440U}) {
    SCOPED_TRACE(length);
    IpFields ip{.ttl = 63};
    ip.dont_fragment = 40 + length > 1260;  // as it was before the option came
    expect_named(
        world.send(in6().tcp(40000, web, ack, {.sequence = 5}).payload(length)),
        [&](const IpFields& fields) {
          return there(fields)
              .tcp(port, inside, ack, {.sequence = 5, .data_offset = 10})
              .payload(toa(40000))
              .payload(length);
        },
        ip);
  }
  (void)world.reply(answer().tcp(inside, port, ack));
  expect_named(world.send(in6().tcp(40000, web, ack).payload(7)),
               [&](const IpFields& fields) { return there(fields).tcp(port, inside, ack).payload(7); });
  world.expect_counted(std::nullopt);
}

TEST(TranslateFamilyToa, a_segment_without_room_goes_without_and_is_counted) {
  TranslateFamily world(1499);
  const u16 port = world.connect(in6().tcp(40000, web, syn));
  const PacketResult sent = world.send(in6().tcp(40000, web, ack).payload(1440));
  expect_frame(sent, there({.ttl = 63, .dont_fragment = true}).tcp(port, inside, ack).payload(1440), inner_link);
  world.expect_counted(Reason::toa_no_room);
}

Bytes mss(u32 bytes) { return {2, 4, static_cast<u8>(bytes >> 8), static_cast<u8>(bytes)}; }
const Bytes timestamps{1, 1, 8, 10, 1, 2, 3, 4, 5, 6, 7, 8};

TEST(TranslateFamilyMss, of_both_sides_fit_both_links) {
  for (const u32 kind : {254U, 0U}) {
    TranslateFamily world;
    world.settings().toa_kind = kind;
    const auto options = [](const Frame& ip, u16 from, u16 to, u8 flags, const Bytes& first, const Bytes& second) {
      return ip.tcp(from, to, flags, {.data_offset = 9}).payload(first).payload(second);
    };
    const u16 port = world.connect(in6().tcp(40000, web, syn));
    // A client with a wider link of its own than the director has to it; and one with the same.
    for (const u32 wide : {8940U, 1440U, 1220U})
      expect_named(world.send(options(in6(), 40000, web, syn, mss(wide), timestamps)), [&](const IpFields& ip) {
        return options(there(ip), port, inside, syn, mss(std::min(wide, 1440U)), Bytes(12, 1));
      });
    expect_frame(world.reply(options(answer(), inside, port, syn | ack, mss(1460), timestamps)),
                 options(back(), web, 40000, syn | ack, mss(1440), timestamps), outer_link);
  }
}

TEST(TranslateFamilySizes, a_request_too_large_for_the_servers_link_is_refused) {
  TranslateFamily world(1400);
  const u16 port = world.connect(in6().udp(40000, web));
  EXPECT_EQ(world.send(in6().udp(40000, web).payload(1372)).frame.size(), 1414U);
  expect_frame(world.send(in6().udp(40000, web).payload(1373)),
               to_client()
                   .ipv6(vip6, client6)
                   .icmp(2, 0, 1420)
                   .payload(quote(in6({.ttl = 63}).udp(40000, web).payload(1373), 1232)),
               outer_link);
  world.expect_counted(Reason::too_big);
  (void)port;
}

// Less than 1280 can't be said to an IPv6 host: the daemon fragments what is small enough for it (RFC 7915 §5.1).
TEST(TranslateFamilySizes, to_a_link_narrower_than_ipv6_knows_small_ones_are_fragmented) {
  TranslateFamily world(1000);
  EXPECT_EQ(world.send(in6().udp(40000, web).payload(973)).verdict, Verdict::drop);
  world.expect_counted(Reason::to_be_fragmented);
  EXPECT_EQ(world.send(in6().udp(40000, web).payload(1232)).verdict, Verdict::drop);
  EXPECT_EQ(world.counted(Reason::to_be_fragmented), 2U);
  const Frame large = in6({.ttl = 63}).udp(40000, web).payload(1233);
  expect_frame(world.send(in6().udp(40000, web).payload(1233)),
               to_client().ipv6(vip6, client6).icmp(2, 0, 1280).payload(quote(large, 1232)), outer_link);
}

TEST(TranslateFamilySizes, a_reply_too_large_for_the_clients_link_is_refused_or_fragmented) {
  TranslateFamily world;
  const u16 port = world.connect(in6().udp(40000, web));
  const auto reply = [&](bool whole, std::size_t length) {
    return answer({.dont_fragment = whole}).udp(inside, port).payload(length);
  };
  expect_frame(world.reply(reply(true, 1452)), back().udp(web, 40000).payload(1452), outer_link);
  expect_frame(
      world.reply(reply(true, 1453)),
      to_rs(11).ipv4(inner_address, rip(11), {.tos = 0xc0}).icmp(3, 4, 1480).payload(quote(reply(true, 1453), 548)),
      inner_link);
  EXPECT_EQ(world.counted(Reason::too_big), 1U);
  EXPECT_EQ(world.reply(reply(false, 1453)).verdict, Verdict::drop);
  EXPECT_EQ(world.counted(Reason::to_be_fragmented), 1U);
}

TEST(TranslateFamilyHops, the_last_hop_unresolved_and_local_ones) {
  TranslateFamily world;
  const u16 port = world.connect(in6().udp(1, web));
  NextHop& hop = world.tables().next_hops[world.tables().servers[world.rs].route.next_hop];
  expect_frame(world.send(in6({.ttl = 1}).udp(1, web)),
               to_client().ipv6(vip6, client6).icmp(3, 0).payload(quote(in6({.ttl = 1}).udp(1, web))), outer_link);
  expect_frame(world.reply(answer({.ttl = 1}).udp(inside, port)),
               to_rs(11)
                   .ipv4(inner_address, rip(11), {.tos = 0xc0})
                   .icmp(11, 0)
                   .payload(quote(answer({.ttl = 1}).udp(inside, port))),
               inner_link);
  EXPECT_EQ(world.counted(Reason::ttl_exceeded), 2U);
  hop.state = NextHopState::unresolved;
  EXPECT_EQ(world.send(in6().udp(1, web)).verdict, Verdict::drop);
  EXPECT_EQ(world.counted(Reason::next_hop_unresolved), 1U);
  hop.state = NextHopState::local;
  EXPECT_EQ(hex(world.send(in6().udp(1, web)).frame), hex(in6().udp(1, web).bytes()));
  EXPECT_EQ(world.counted(Reason::pass_local), 1U);
  world.tables().interfaces[outer_link].known = 0;
  EXPECT_EQ(world.reply(answer().udp(inside, port)).verdict, Verdict::drop);
  EXPECT_EQ(world.counted(Reason::next_hop_unresolved), 2U);
}

TEST(TranslateFamilyHops, without_headroom_a_reply_is_dropped_under_a_name) {
  TranslateFamily world;
  const u16 port = world.connect(in6().udp(1, web));
  FrameBuffer buffer = with_headroom(answer().udp(inside, port).bytes(), 18);
  NativePlatform platform(world.tables(), buffer, world.now, inner_link);
  EXPECT_EQ(balance(platform), Verdict::drop);
  world.expect_counted(Reason::no_room);
}

TEST(TranslateFamilyFragments, of_a_request_stay_fragments) {
  TranslateFamily world;
  const u16 port = world.connect(in6().udp(40000, web));
  const Frame whole = in6({.id = 0xbeef}).udp(40000, web).payload(3000);
  const Frame expected = there({.ttl = 63, .id = 0xbeef}).udp(port, inside).payload(3000);
  for (const auto& [first, count] : {std::pair{0U, 1448U}, {1448U, 1448U}, {2896U, 112U}}) {
    SCOPED_TRACE(first);
    expect_frame(world.send(whole.fragment(first, count)), expected.fragment(first, count), inner_link);
  }
  world.expect_counted(std::nullopt);
}

TEST(TranslateFamilyFragments, of_a_reply_stay_fragments) {
  TranslateFamily world;
  const u16 port = world.connect(in6().udp(40000, web));
  const Frame whole = answer({.id = 0xbeef}).udp(inside, port).payload(3000);
  const Frame expected = back({.ttl = 63, .id = 0xbeef}).udp(web, 40000).payload(3000);
  for (const auto& [first, count] : {std::pair{0U, 1440U}, {1440U, 1440U}, {2880U, 128U}}) {
    SCOPED_TRACE(first);
    expect_frame(world.reply(whole.fragment(first, count)), expected.fragment(first, count), outer_link);
  }
  world.expect_counted(std::nullopt);
  EXPECT_EQ(world.reply(whole.fragment(1440, 1480)).verdict, Verdict::drop);
  world.expect_counted(Reason::to_be_fragmented);
}

TEST(TranslateFamilyFragments, of_a_datagram_without_checksum_end_here) {
  TranslateFamily world;
  const u16 port = world.connect(in6().udp(40000, web));
  const Frame whole = answer({.id = 1}).udp(inside, port).without_checksum().payload(2000);
  EXPECT_EQ(world.reply(whole.fragment(0, 1440)).verdict, Verdict::drop);
  world.expect_counted(Reason::no_checksum);
}

// ICMP errors: type, code and second word as they come and as they go on; none: they end here.
struct Words {
  u8 type;
  u8 code;
  u32 rest;
};
struct Translation {
  Words from;
  std::optional<Words> to;
};

// From the server's side (RFC 7915 §4.2).
const Translation to_ipv6[] = {
    {{3, 0, 0}, {{1, 0, 0}}},      {{3, 1, 0}, {{1, 0, 0}}},       {{3, 2, 0}, {{4, 1, 6}}},
    {{3, 3, 0}, {{1, 4, 0}}},      {{3, 4, 1400}, {{2, 0, 1420}}}, {{3, 4, 1260}, {{2, 0, 1280}}},
    {{3, 4, 600}, {{2, 0, 1280}}}, {{3, 4, 0}, {{2, 0, 1280}}},    {{3, 5, 0}, {{1, 0, 0}}},
    {{3, 6, 0}, {{1, 0, 0}}},      {{3, 7, 0}, {{1, 0, 0}}},       {{3, 8, 0}, {{1, 0, 0}}},
    {{3, 9, 0}, {{1, 1, 0}}},      {{3, 10, 0}, {{1, 1, 0}}},      {{3, 11, 0}, {{1, 0, 0}}},
    {{3, 12, 0}, {{1, 0, 0}}},     {{3, 13, 0}, {{1, 1, 0}}},      {{3, 14, 0}, std::nullopt},
    {{3, 15, 0}, {{1, 1, 0}}},     {{3, 16, 0}, std::nullopt},     {{4, 0, 0}, std::nullopt},
    {{11, 0, 0}, {{3, 0, 0}}},     {{11, 1, 0}, {{3, 1, 0}}},
};

// From the client's side (RFC 7915 §5.2).
const Translation to_ipv4[] = {
    {{1, 0, 0}, {{3, 1, 0}}},       {{1, 1, 0}, {{3, 10, 0}}},          {{1, 2, 0}, {{3, 1, 0}}},
    {{1, 3, 0}, {{3, 1, 0}}},       {{1, 4, 0}, {{3, 3, 0}}},           {{1, 5, 0}, std::nullopt},
    {{2, 0, 1400}, {{3, 4, 1380}}}, {{2, 0, 1280}, {{3, 4, 1260}}},     {{2, 0, 100}, {{3, 4, 1260}}},
    {{2, 0, 9000}, {{3, 4, 8980}}}, {{2, 0, 0xfffff}, {{3, 4, 65515}}}, {{3, 0, 0}, {{11, 0, 0}}},
    {{3, 1, 0}, {{11, 1, 0}}},      {{4, 0, 7}, std::nullopt},          {{4, 1, 6}, {{3, 2, 0}}},
    {{4, 2, 0}, std::nullopt},
};

// The transport's checksum in a quote stays what it was: it can't be told from a part of the packet.
Bytes quoted_as(const Frame& changed, const Frame& original) {
  Bytes packet = changed.packet();
  const Bytes before = original.packet();
  const auto header = [](const Bytes& of) { return of[0] >> 4 == 4 ? 20U : 40U; };
  for (std::size_t i = 0; i < 2; ++i) packet.at(header(packet) + 6 + i) = before.at(header(before) + 6 + i);
  return packet;
}

// Dropped, and counted once, which is forgotten.
void expect_untranslatable(TranslateFamily& world, const PacketResult& told) {
  EXPECT_EQ(told.verdict, Verdict::drop);
  EXPECT_EQ(std::exchange(world.tables().reasons[0].packets[static_cast<u32>(Reason::icmp_untranslatable)], 0), 1U);
}

TEST(TranslateFamilyIcmp, from_the_servers_side_goes_back_to_the_client_as_icmpv6) {
  TranslateFamily world;
  const u16 port = world.connect(in6().udp(40000, web));
  for (const Translation& translation : to_ipv6) {
    for (std::size_t length : {0U, 1U, 30U, 500U}) {
      SCOPED_TRACE(std::to_string(translation.from.type) + " " + std::to_string(translation.from.code));
      const Frame lost = there({.ttl = 63, .tos = 4}).udp(port, inside).payload(length);
      const Frame asked = in6({.ttl = 63, .tos = 4}).udp(40000, web).payload(length);
      const Words& from = translation.from;
      const PacketResult told =
          world.reply(answer({.tos = 8}).icmp(from.type, from.code, from.rest).payload(lost.packet()));
      if (!translation.to) {
        expect_untranslatable(world, told);
        continue;
      }
      const Words& to = *translation.to;
      expect_frame(told, back({.ttl = 63, .tos = 8}).icmp(to.type, to.code, to.rest).payload(quoted_as(asked, lost)),
                   outer_link);
    }
  }
  world.expect_counted(std::nullopt);
}

TEST(TranslateFamilyIcmp, from_the_clients_side_goes_on_to_the_server_as_icmp) {
  TranslateFamily world;
  const u16 port = world.connect(in6().udp(40000, web));
  for (const Translation& translation : to_ipv4) {
    for (std::size_t length : {0U, 1U, 30U, 500U}) {
      SCOPED_TRACE(std::to_string(translation.from.type) + " " + std::to_string(translation.from.code));
      const Frame lost = back({.ttl = 63, .tos = 4}).udp(web, 40000).payload(length);
      const Frame asked = answer({.ttl = 63, .tos = 4}).udp(inside, port).payload(length);
      const Words& from = translation.from;
      const PacketResult told =
          world.send(in6({.tos = 8}).icmp(from.type, from.code, from.rest).payload(lost.packet()));
      if (!translation.to) {
        expect_untranslatable(world, told);
        continue;
      }
      const Words& to = *translation.to;
      Bytes inner = quoted_as(asked, lost);
      inner.resize(std::min<std::size_t>(inner.size(), 548));
      expect_frame(told, there({.ttl = 63, .tos = 8}).icmp(to.type, to.code, to.rest).payload(inner), inner_link);
    }
  }
  world.expect_counted(std::nullopt);
}

// The beginning of a full segment, as IPv4 routers of old quote it; and more than may be quoted.
TEST(TranslateFamilyIcmp, quotes_what_there_is_and_no_more_than_may_be) {
  TranslateFamily world;
  const u16 port = world.connect(in6().udp(40000, web));
  const Frame lost = there({.ttl = 63, .dont_fragment = true}).udp(port, inside).payload(1400);
  const Frame asked = in6({.ttl = 63}).udp(40000, web).payload(1400);
  for (std::size_t count : {28U, 29U, 100U, 1252U, 1300U}) {
    SCOPED_TRACE(count);
    Bytes inner = quoted_as(asked, lost);
    inner.resize(std::min<std::size_t>(count + 20, 1232));
    expect_frame(world.reply(answer().icmp(3, 4, 1400).payload(quote(lost, count))),
                 back().icmp(2, 0, 1420).payload(inner), outer_link);
  }
  const Frame reply = back({.ttl = 63}).udp(web, 40000).payload(1300);
  Bytes inner = quoted_as(answer({.ttl = 63, .dont_fragment = true}).udp(inside, port).payload(1300), reply);
  inner.resize(548);
  expect_frame(world.send(in6().icmp(2, 0, 1300).payload(quote(reply, 1232))), there().icmp(3, 4, 1280).payload(inner),
               inner_link);
}

TEST(TranslateFamilyIcmp, with_a_wrong_checksum_without_time_or_too_short_a_quote_end_here) {
  TranslateFamily world;
  const u16 port = world.connect(in6().udp(40000, web));
  const Frame lost = there({.ttl = 63}).udp(port, inside);
  const Frame reply = back({.ttl = 63}).udp(web, 40000);
  Bytes from_server = answer().icmp(3, 1).payload(lost.packet());
  Bytes from_outside = in6().icmp(1, 0).payload(reply.packet());
  from_server.at(36) ^= 1;
  from_outside.at(56) ^= 1;
  EXPECT_EQ(world.reply(from_server).verdict, Verdict::drop);
  EXPECT_EQ(world.send(from_outside).verdict, Verdict::drop);
  EXPECT_EQ(world.counted(Reason::icmp_checksum), 2U);
  EXPECT_EQ(world.reply(answer({.ttl = 1}).icmp(3, 1).payload(lost.packet())).verdict, Verdict::drop);
  EXPECT_EQ(world.send(in6({.ttl = 1}).icmp(1, 0).payload(reply.packet())).verdict, Verdict::drop);
  EXPECT_EQ(world.counted(Reason::icmp_ttl_exceeded), 2U);
  EXPECT_EQ(world.reply(answer().icmp(3, 1).payload(quote(lost, 24))).verdict, Verdict::drop);
  EXPECT_EQ(world.send(in6().icmp(1, 0).payload(quote(reply, 44))).verdict, Verdict::drop);
  EXPECT_EQ(world.counted(Reason::icmp_untranslatable), 2U);
  world.expect_order();
}

TEST(TranslateFamilyIcmp, count_for_the_server) {
  TranslateFamily world;
  const u16 port = world.connect(in6().udp(40000, web));
  const ServerCounters before = world.tables().counters[world.rs];
  (void)world.reply(answer().icmp(3, 1).payload(there().udp(port, inside).packet()));
  (void)world.send(in6().icmp(1, 0).payload(back().udp(web, 40000).packet()));
  const ServerCounters& after = world.tables().counters[world.rs];
  EXPECT_EQ(after.out_packets - before.out_packets, 1U);
  EXPECT_EQ(after.out_bytes - before.out_bytes, 20U + 8 + 28);
  EXPECT_EQ(after.in_packets - before.in_packets, 1U);
  EXPECT_EQ(after.in_bytes - before.in_bytes, 40U + 8 + 48);
}

}  // namespace
}  // namespace penstock
