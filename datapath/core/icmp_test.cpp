// ICMP errors about connections: from the client's side, from the server's side, about a tunnel's packets; and what is no such
// error.
#include "datapath/core/icmp.hpp"

#include <gtest/gtest.h>

#include "tests/packets/world.hpp"

namespace penstock {
namespace {

using namespace packets;

constexpr u16 web = 80;
constexpr u16 inside = 8080;
const std::string lip = "10.0.0.2";
const std::string lip6 = "fd00::2";

u8 protocol_of(const Bytes& packet) { return packet[0] >> 4 == 4 ? packet[9] : packet[6]; }

// A UDP or SCTP packet of those ends, as a quote has it after other ends were written into it: the transport's checksum is still
// that of `original`, as nobody can tell it from a part of the packet.
Bytes quoted_as(const Frame& changed, const Frame& original) {
  Bytes packet = changed.packet();
  const Bytes before = original.packet();
  const std::size_t header = packet[0] >> 4 == 4 ? 20 : 40;
  const std::size_t at = header + (protocol_of(packet) == 6 ? 16 : protocol_of(packet) == 17 ? 6 : 8);
  const std::size_t bytes = protocol_of(packet) == 132 ? 4 : 2;
  for (std::size_t i = 0; i < bytes; ++i) packet[at + i] = before[at + i];
  return packet;
}

// nat or fullnat, and one connection of UDP and one of TCP.
struct Translated : World {
  Translated(Method method, bool is_v4) : v4(is_v4), full(method == Method::fullnat) {
    director.add_local_address(lip);
    director.add_local_address(lip6);
    const Server like{.port = inside};
    rs = v4 ? add_rs(11, method, like) : add_rs6(11, method, like);
    for (const u8 protocol : {u8{6}, u8{17}, u8{132}}) director.add_service({v4 ? vip : vip6, web, protocol}, {rs});
    const PacketResult sent = send((v4 ? in4() : in6()).udp(40000, web));
    local_port = static_cast<u16>(sent.frame.at(v4 ? 34 : 54) << 8 | sent.frame.at(v4 ? 35 : 55));
  }
  Frame ip(const Frame& frame, const std::string& from, const std::string& to, u8 ttl = 64) const {
    return v4 ? frame.ipv4(from, to, {.ttl = ttl}) : frame.ipv6(from, to, {.ttl = ttl});
  }
  std::string near() const { return v4 ? client : client6; }
  std::string virtual_ip() const { return v4 ? vip : vip6; }
  std::string real() const { return v4 ? rip(11) : rip6(11); }
  // Whom the real server takes for the client.
  std::string apparent() const { return full ? v4 ? lip : lip6 : near(); }
  u16 apparent_port() const { return full ? local_port : u16{40000}; }
  u8 unreachable() const { return v4 ? 3 : 1; }

  bool v4;
  bool full;
  u32 rs = 0;
  u16 local_port = 0;
};

class IcmpOfTranslated : public ::testing::TestWithParam<std::tuple<Method, bool>> {
 protected:
  Translated world_{std::get<0>(GetParam()), std::get<1>(GetParam())};
};
INSTANTIATE_TEST_SUITE_P(Methods, IcmpOfTranslated,
                         ::testing::Combine(::testing::Values(Method::nat, Method::fullnat), ::testing::Bool()));

TEST_P(IcmpOfTranslated, from_the_servers_side_goes_back_to_the_client_from_the_virtual_address) {
  for (std::size_t length : {0U, 1U, 30U, 500U}) {
    SCOPED_TRACE(length);
    const Frame lost =
        world_.ip(to_rs(11), world_.apparent(), world_.real(), 63).udp(world_.apparent_port(), inside).payload(length);
    const Frame asked =
        world_.ip(from_client(), world_.near(), world_.virtual_ip(), 63).udp(40000, web).payload(length);
    const Frame error =
        world_.ip(from_rs(11), world_.real(), world_.apparent()).icmp(world_.unreachable(), 1).payload(lost.packet());
    expect_frame(world_.reply(error),
                 world_.ip(to_client(), world_.virtual_ip(), world_.near(), 63)
                     .icmp(world_.unreachable(), 1)
                     .payload(quoted_as(asked, lost)),
                 outer_link);
  }
  world_.expect_counted(std::nullopt);
}

// A router on the way to the real server, that can't be told from anybody.
TEST_P(IcmpOfTranslated, from_a_router_before_the_server_too) {
  const std::string router = world_.v4 ? "10.9.9.9" : "fd99::9";
  const Frame lost = world_.ip(to_rs(11), world_.apparent(), world_.real(), 1).udp(world_.apparent_port(), inside);
  const Frame asked = world_.ip(from_client(), world_.near(), world_.virtual_ip(), 1).udp(40000, web);
  const u8 exceeded = world_.v4 ? 11 : 3;
  const Frame error = world_.ip(from_rs(99), router, world_.apparent()).icmp(exceeded, 0).payload(lost.packet());
  expect_frame(
      world_.reply(error),
      world_.ip(to_client(), world_.virtual_ip(), world_.near(), 63).icmp(exceeded, 0).payload(quoted_as(asked, lost)),
      outer_link);
}

TEST_P(IcmpOfTranslated, the_mtu_that_it_tells_stays) {
  const Frame lost = world_.ip(to_rs(11), world_.apparent(), world_.real(), 63).udp(world_.apparent_port(), inside);
  const u8 type = world_.v4 ? 3 : 2;
  const u8 code = world_.v4 ? 4 : 0;
  const PacketResult result = world_.reply(
      world_.ip(from_rs(11), world_.real(), world_.apparent()).icmp(type, code, 1400).payload(lost.packet()));
  const std::size_t at = 14 + (world_.v4 ? 20 : 40) + 6;
  EXPECT_EQ(result.interface, outer_link);
  EXPECT_EQ(result.frame.at(at) << 8 | result.frame.at(at + 1), 1400);
}

TEST_P(IcmpOfTranslated, from_the_clients_side_goes_to_the_real_server) {
  const Frame answered = world_.ip(to_client(), world_.virtual_ip(), world_.near(), 63).udp(web, 40000).payload(21);
  const Frame as_sent =
      world_.ip(from_rs(11), world_.real(), world_.apparent(), 63).udp(inside, world_.apparent_port()).payload(21);
  const Frame error = world_.ip(from_client(), world_.near(), world_.virtual_ip())
                          .icmp(world_.unreachable(), 3)
                          .payload(answered.packet());
  expect_frame(world_.send(error),
               world_.ip(to_rs(11), world_.apparent(), world_.real(), 63)
                   .icmp(world_.unreachable(), 3)
                   .payload(quoted_as(as_sent, answered)),
               inner_link);
  world_.expect_counted(std::nullopt);
  EXPECT_EQ(world_.tables().counters[world_.rs].in_packets, 2U);
}

TEST_P(IcmpOfTranslated, with_a_wrong_checksum_is_dropped) {
  const Frame lost = world_.ip(to_rs(11), world_.apparent(), world_.real(), 63).udp(world_.apparent_port(), inside);
  Bytes error =
      world_.ip(from_rs(11), world_.real(), world_.apparent()).icmp(world_.unreachable(), 1).payload(lost.packet());
  error.back() ^= 1;
  EXPECT_EQ(world_.reply(error).verdict, Verdict::drop);
  world_.expect_counted(Reason::icmp_checksum);
}

TEST_P(IcmpOfTranslated, at_its_last_hop_is_dropped_without_an_error_about_the_error) {
  const Frame lost = world_.ip(to_rs(11), world_.apparent(), world_.real(), 63).udp(world_.apparent_port(), inside);
  const Frame answered = world_.ip(to_client(), world_.virtual_ip(), world_.near(), 63).udp(web, 40000);
  EXPECT_EQ(world_
                .reply(world_.ip(from_rs(11), world_.real(), world_.apparent(), 1)
                           .icmp(world_.unreachable(), 1)
                           .payload(lost.packet()))
                .verdict,
            Verdict::drop);
  EXPECT_EQ(world_
                .send(world_.ip(from_client(), world_.near(), world_.virtual_ip(), 1)
                          .icmp(world_.unreachable(), 1)
                          .payload(answered.packet()))
                .verdict,
            Verdict::drop);
  world_.tables().reasons[0].packets[static_cast<u32>(Reason::icmp_ttl_exceeded)] -= 1;
  world_.expect_counted(Reason::icmp_ttl_exceeded);
}

TEST_P(IcmpOfTranslated, cut_at_any_length_it_is_never_taken_for_more) {
  const Frame lost =
      world_.ip(to_rs(11), world_.apparent(), world_.real(), 63).udp(world_.apparent_port(), inside).payload(16);
  for (std::size_t length = 0; length < lost.packet().size(); ++length) {
    const Frame error = world_.ip(from_rs(11), world_.real(), world_.apparent())
                            .icmp(world_.unreachable(), 1)
                            .payload(quote(lost, length));
    const bool has_ports = length >= (world_.v4 ? 24U : 44U);
    EXPECT_EQ(world_.reply(error).verdict, has_ports ? Verdict::redirect : Verdict::pass) << length;
  }
  EXPECT_EQ(world_.counted(Reason::bug), 0U);
}

TEST_P(IcmpOfTranslated, about_nothing_that_we_know_is_the_kernels) {
  const Frame lost = world_.ip(to_rs(11), world_.apparent(), world_.real(), 63).udp(1, 2);
  const Frame error =
      world_.ip(from_client(), world_.near(), world_.virtual_ip()).icmp(world_.unreachable(), 1).payload(lost.packet());
  const PacketResult result = world_.send(error);
  EXPECT_EQ(result.verdict, Verdict::pass);
  EXPECT_EQ(hex(result.frame), hex(error.bytes()));
  world_.expect_counted(Reason::pass_icmp);
}

struct Direct : World {
  Direct() {
    rs = add_rs(11, Method::direct);
    for (const u8 protocol : {u8{6}, u8{17}}) {
      director.add_service({vip, web, protocol}, {rs});
      director.add_service({vip6, web, protocol}, {rs});
    }
  }
  u32 rs = 0;
};

Frame answered4() { return to_client().ipv4(vip, client, {.ttl = 63}).tcp(web, 40000, syn | ack); }

TEST(IcmpOfDirect, from_the_client_follows_the_connection) {
  Direct world;
  (void)world.send(in4().tcp(40000, web, syn));
  (void)world.send(in6().tcp(40000, web, syn));
  expect_frame(world.send(in4().icmp(3, 1).payload(answered4().packet())),
               to_rs(11).ipv4(client, vip, {.ttl = 63}).icmp(3, 1).payload(answered4().packet()), inner_link);
  const Frame answered6 = to_client().ipv6(vip6, client6, {.ttl = 63}).tcp(web, 40000, syn | ack);
  expect_frame(world.send(in6().icmp(1, 0).payload(answered6.packet())),
               to_rs(11).ipv6(client6, vip6, {.ttl = 63}).icmp(1, 0).payload(answered6.packet()), inner_link);
  world.expect_counted(std::nullopt);
  EXPECT_EQ(world.tables().counters[world.rs].in_packets, 4U);
}

TEST(IcmpOfDirect, what_is_no_error_that_ipvs_relays_is_the_kernels) {
  Direct world;
  (void)world.send(in4().tcp(40000, web, syn));
  u64 passed = 0;
  for (u32 type = 0; type < 256; ++type) {
    const bool relayed = type == 3 || type == 4 || type == 11;
    const PacketResult result = world.send(in4().icmp(static_cast<u8>(type), 0).payload(answered4().packet()));
    EXPECT_EQ(result.verdict, relayed ? Verdict::redirect : Verdict::pass) << type;
    passed += relayed ? 0 : 1;
    EXPECT_EQ(world.counted(Reason::pass_icmp), passed);
  }
}

TEST(IcmpOfDirect, with_options_in_both_headers) {
  Direct world;
  (void)world.send(in4().tcp(40000, web, syn));
  const Frame answered = to_client().ipv4(vip, client, {.ttl = 63, .options = Bytes(8, 1)}).tcp(web, 40000, syn | ack);
  const auto error = [&](const Frame& ends) { return ends.icmp(3, 1).payload(answered.packet()); };
  expect_frame(world.send(error(in4({.options = Bytes(40, 1)}))),
               error(to_rs(11).ipv4(client, vip, {.ttl = 63, .options = Bytes(40, 1)})), inner_link);
}

TEST(IcmpOfDirect, too_long_for_its_way_is_not_answered_with_an_error) {
  Direct world;
  (void)world.send(in4().tcp(40000, web, syn));
  world.tables().next_hops[world.tables().servers[world.rs].route.next_hop].mtu = 200;
  const Frame error = in4({.dont_fragment = true}).icmp(3, 1).payload(answered4().payload(300).packet());
  EXPECT_EQ(world.send(error).verdict, Verdict::drop);
  world.expect_counted(Reason::too_big);
}

TEST(IcmpOfDirect, of_its_servers_on_their_way_past_us_is_counted_and_left_alone) {
  Direct world;
  (void)world.send(in4().tcp(40000, web, syn));
  const Frame asked = to_rs(11).ipv4(client, vip, {.ttl = 63}).tcp(40000, web, syn);
  const Frame error = from_rs(11).ipv4(rip(11), client).icmp(3, 3).payload(asked.packet());
  const PacketResult result = world.reply(error);
  EXPECT_EQ(result.verdict, Verdict::pass);
  EXPECT_EQ(hex(result.frame), hex(error.bytes()));
  EXPECT_EQ(world.tables().counters[world.rs].out_packets, 1U);
}

// IPVS: schedule_icmp
TEST(IcmpSchedules, begins_a_connection_of_three_seconds_if_it_may) {
  for (const u32 may : {0U, 1U}) {
    Direct world;
    world.settings().schedule_icmp = may;
    const PacketResult result = world.send(in4().icmp(3, 1).payload(answered4().packet()));
    EXPECT_EQ(result.verdict, may ? Verdict::redirect : Verdict::pass);
    world.expect_counted(may ? std::nullopt : std::optional(Reason::pass_icmp));
    ASSERT_EQ(world.records(Role::request), may);
    if (may == 0) continue;
    const Connection record = world.record(40000);
    EXPECT_EQ(static_cast<u32>(record.word) - world.now, 3 * hz);
    EXPECT_EQ(state_bits(record.word), 0U);
    world.expect_order();
  }
}

TEST(IcmpSchedules, without_a_server_for_it_it_is_dropped) {
  Direct world;
  world.settings().schedule_icmp = 1;
  world.director.reschedule({vip, web, 6}, {});
  EXPECT_EQ(world.send(in4().icmp(3, 1).payload(answered4().packet())).verdict, Verdict::drop);
  world.expect_counted(Reason::icmp_no_destination);
}

TEST(IcmpSchedules, without_a_service_it_is_the_kernels) {
  Direct world;
  world.settings().schedule_icmp = 1;
  const Frame other = to_client().ipv4(vip, client).tcp(9999, 1, ack);
  EXPECT_EQ(world.send(in4().icmp(3, 1).payload(other.packet())).verdict, Verdict::pass);
  world.expect_counted(Reason::pass_icmp);
}

TEST(IcmpOfIpsec, belongs_to_the_ike_connection) {
  Direct world;
  world.director.add_service({vip, 500, 17}, {world.rs});
  (void)world.send(in4().udp(500, 500));
  const Frame answered = to_client().ipv4(vip, client, {.ttl = 63}).protocol(50).payload(64);
  EXPECT_EQ(world.send(in4().icmp(3, 1).payload(answered.packet())).interface, inner_link);
}

struct Tunnels : World {
  explicit Tunnels(TunnelType type = TunnelType::ipip, TunnelChecksum checksum = TunnelChecksum::none) {
    rs = add_rs(11, Method::tunnel, {.tunnel = type, .tunnel_checksum = checksum, .tunnel_port = 6080});
    director.add_service({vip, web, 17}, {rs});
  }
  u32 rs = 0;
};

// What left into the tunnel comes back as a quote, from a router between.
Frame about(const PacketResult& sent, u8 type, u8 code, u32 rest = 0) {
  const Bytes outer(sent.frame.begin() + 14, sent.frame.end());
  return from_rs(99).ipv4("10.9.9.9", inner_address).icmp(type, code, rest).payload(outer);
}

struct TunnelCase {
  TunnelType type;
  TunnelChecksum checksum;
  u32 overhead;
};
const TunnelCase tunnel_cases[] = {{TunnelType::ipip, TunnelChecksum::none, 20},
                                   {TunnelType::gre, TunnelChecksum::none, 24},
                                   {TunnelType::gre, TunnelChecksum::checksum, 28},
                                   {TunnelType::gue, TunnelChecksum::none, 32},
                                   {TunnelType::gue, TunnelChecksum::checksum, 32}};

TEST(IcmpOfTunnel, of_its_length_is_learnt_and_told_to_the_client) {
  for (const TunnelCase& test : tunnel_cases) {
    Tunnels world(test.type, test.checksum);
    const Frame packet = in4({.ttl = 63, .dont_fragment = true}).udp(40000, web).payload(200);
    const PacketResult sent = world.send(in4({.dont_fragment = true}).udp(40000, web).payload(200));
    expect_frame(world.reply(about(sent, 3, 4, 1400)),
                 to_client().ipv4(vip, client, {.tos = 0xc0}).icmp(3, 4, 1400 - test.overhead).payload(packet.packet()),
                 outer_link);
    EXPECT_EQ(world.director.load(world.rs).path_mtu, 1400U);
    EXPECT_EQ(world.director.load(world.rs).path_mtu_expires - world.now, 600U * hz);
    world.expect_counted(std::nullopt);
  }
}

TEST(IcmpOfTunnel, of_another_kind_is_told_to_the_client_as_if_it_were_about_its_packet) {
  Tunnels world;
  const Frame packet = in4({.ttl = 63}).udp(40000, web);
  const PacketResult sent = world.send(in4().udp(40000, web));
  expect_frame(world.reply(about(sent, 3, 1)),
               to_client().ipv4(vip, client, {.tos = 0xc0}).icmp(3, 1).payload(packet.packet()), outer_link);
  expect_frame(world.reply(about(sent, 11, 0)),
               to_client().ipv4(vip, client, {.tos = 0xc0}).icmp(11, 0).payload(packet.packet()), outer_link);
  EXPECT_EQ(world.director.load(world.rs).path_mtu, 0U);
}

TEST(IcmpOfTunnel, of_the_length_of_what_may_be_fragmented_is_for_us_alone) {
  Tunnels world;
  const PacketResult sent = world.send(in4().udp(40000, web).payload(200));
  EXPECT_EQ(world.reply(about(sent, 3, 4, 1400)).verdict, Verdict::drop);
  world.expect_counted(Reason::icmp_taken);
  EXPECT_EQ(world.director.load(world.rs).path_mtu, 1400U);
}

TEST(IcmpOfTunnel, with_a_wrong_checksum_teaches_nothing) {
  Tunnels world;
  Bytes error = about(world.send(in4({.dont_fragment = true}).udp(40000, web)), 3, 4, 1400);
  error[14 + 20 + 7] ^= 1;
  EXPECT_EQ(world.reply(error).verdict, Verdict::drop);
  EXPECT_EQ(world.director.load(world.rs).path_mtu, 0U);
  world.expect_counted(Reason::icmp_checksum);
}

TEST(IcmpOfTunnel, of_another_tunnel_or_connection_is_the_kernels) {
  Tunnels world;
  PacketResult sent = world.send(in4().udp(40000, web));
  PacketResult foreign = sent;
  foreign.frame[14 + 19] ^= 1;  // to another real server
  EXPECT_EQ(world.reply(about(foreign, 3, 1)).verdict, Verdict::pass);
  PacketResult unknown = sent;
  unknown.frame[14 + 20 + 21] ^= 1;  // another client port
  EXPECT_EQ(world.reply(about(unknown, 3, 1)).verdict, Verdict::pass);
  EXPECT_EQ(world.counted(Reason::pass_icmp), 2U);
  EXPECT_EQ(world.director.load(world.rs).path_mtu, 0U);
}

TEST(IcmpOfTunnel, an_mtu_that_no_link_may_have_teaches_nothing) {
  Tunnels world;
  const PacketResult sent = world.send(in4().udp(40000, web));
  (void)world.reply(about(sent, 3, 4, 67));
  EXPECT_EQ(world.director.load(world.rs).path_mtu, 0U);
  (void)world.reply(about(sent, 3, 4, 68));
  EXPECT_EQ(world.director.load(world.rs).path_mtu, 68U);
}

TEST(IcmpOfOthers, in_the_other_families_protocol_is_no_icmp) {
  Direct world;
  (void)world.send(in4().tcp(40000, web, syn));
  const Frame as_icmp = in4().icmp(3, 1).payload(answered4().packet());
  const Bytes packet = as_icmp.packet();
  const Bytes body(packet.begin() + 20, packet.end());
  EXPECT_EQ(world.send(in4().protocol(58).payload(body)).verdict, Verdict::pass);
  world.expect_counted(Reason::pass_protocol);
}

}  // namespace
}  // namespace penstock
