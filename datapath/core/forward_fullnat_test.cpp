// fullnat: both ends change, local addresses and ports are handed out and taken back, and the client's address goes along as a TCP
// option.
#include "datapath/core/forward_fullnat.hpp"

#include <gtest/gtest.h>

#include <map>
#include <set>

#include "tests/packets/world.hpp"

namespace penstock {
namespace {

using namespace packets;

constexpr u16 web = 80;
constexpr u16 inside = 8080;
const std::string lip = "10.0.0.2";
const std::string lip6 = "fd00::2";

struct FullNat : World {
  explicit FullNat(const Config& config = World::small()) : World(config) {
    director.add_local_address(lip);
    director.add_local_address(lip6);
    rs = add_rs(11, Method::fullnat, {.port = inside});
    const u32 rs6 = add_rs6(11, Method::fullnat, {.port = inside});
    for (const u8 protocol : {u8{6}, u8{17}, u8{132}}) {
      director.add_service({vip, web, protocol}, {rs});
      director.add_service({vip6, web, protocol}, {rs6});
    }
  }
  u32 rs = 0;
};

u16 port_at(const Bytes& frame, std::size_t at) { return static_cast<u16>(frame.at(at) << 8 | frame.at(at + 1)); }

class ForwardFullNat : public ::testing::TestWithParam<Family> {
 protected:
  bool v4() const { return GetParam() == Family::ipv4; }
  Frame in(const IpFields& ip = {}) const { return v4() ? in4(ip) : in6(ip); }
  Frame there(const IpFields& ip = {.ttl = 63}) const {
    return v4() ? to_rs(11).ipv4(lip, rip(11), ip) : to_rs(11).ipv6(lip6, rip6(11), ip);
  }
  Frame answer(const IpFields& ip = {}) const {
    return v4() ? from_rs(11).ipv4(rip(11), lip, ip) : from_rs(11).ipv6(rip6(11), lip6, ip);
  }
  Frame back(const IpFields& ip = {.ttl = 63}) const {
    return v4() ? to_client().ipv4(vip, client, ip) : to_client().ipv6(vip6, client6, ip);
  }
  u16 local_port(const PacketResult& result) const { return port_at(result.frame, v4() ? 34 : 54); }
  // Kind 254, length, client's port and address.
  Bytes toa(u16 port, u8 kind = 254) const {
    const Bytes address = address_bytes(v4() ? client : client6);
    Bytes option{kind, static_cast<u8>(4 + address.size())};
    append16(option, port);
    append(option, address);
    return option;
  }
  u8 toa_words() const { return v4() ? 2 : 5; }
  FullNat world_;
};

INSTANTIATE_TEST_SUITE_P(Families, ForwardFullNat, ::testing::Values(Family::ipv4, Family::ipv6),
                         [](const auto& about) { return about.param == Family::ipv4 ? "v4" : "v6"; });

TEST_P(ForwardFullNat, the_real_server_sees_a_local_address_and_the_client_the_virtual_one) {
  for (const u8 protocol : {u8{6}, u8{17}, u8{132}}) {
    SCOPED_TRACE(int{protocol});
    const auto transport = [protocol](const Frame& frame, u16 from, u16 to, u8 flags) {
      return protocol == 6    ? frame.tcp(from, to, flags).payload(9)
             : protocol == 17 ? frame.udp(from, to).payload(9)
                              : frame.sctp(from, to, flags == syn ? 1 : 2);
    };
    const PacketResult sent = world_.send(transport(in(), 40000, web, syn));
    const u16 port = local_port(sent);
    EXPECT_GE(port, 1024);
    expect_frame(sent, transport(there(), port, inside, syn), inner_link);
    expect_frame(world_.reply(transport(answer(), inside, port, syn | ack)), transport(back(), web, 40000, syn | ack),
                 outer_link);
    const PacketResult again = world_.send(transport(in(), 40000, web, syn));
    EXPECT_EQ(local_port(again), port);
  }
  world_.expect_counted(std::nullopt);
  world_.expect_order();
}

TEST_P(ForwardFullNat, tells_the_client_from_the_handshakes_end_until_the_server_answers) {
  const u16 port = local_port(world_.send(in().tcp(40000, web, syn)));
  (void)world_.reply(answer().tcp(inside, port, syn | ack));
  const u8 words = static_cast<u8>(5 + toa_words());
  for (std::size_t length : {0U, 1U, 2U, 3U, 501U}) {
    SCOPED_TRACE(length);
    expect_frame(
        world_.send(in().tcp(40000, web, ack, {.sequence = 5}).payload(length)),
        there().tcp(port, inside, ack, {.sequence = 5, .data_offset = words}).payload(toa(40000)).payload(length),
        inner_link);
  }
  (void)world_.reply(answer().tcp(inside, port, ack));
  expect_frame(world_.send(in().tcp(40000, web, ack).payload(7)), there().tcp(port, inside, ack).payload(7),
               inner_link);
  world_.expect_counted(std::nullopt);
}

TEST_P(ForwardFullNat, the_option_stands_before_the_clients_own) {
  const u16 port = local_port(world_.send(in().tcp(40000, web, syn)));
  const Bytes timestamps{1, 1, 8, 10, 1, 2, 3, 4, 5, 6, 7, 8};
  expect_frame(world_.send(in().tcp(40000, web, ack, {.data_offset = 8}).payload(timestamps).payload(33)),
               there()
                   .tcp(port, inside, ack, {.data_offset = static_cast<u8>(8 + toa_words())})
                   .payload(toa(40000))
                   .payload(timestamps)
                   .payload(33),
               inner_link);
}

TEST_P(ForwardFullNat, its_checksums_are_right_whatever_they_were) {
  const u16 port = local_port(world_.send(in().tcp(40000, web, syn)));
  const u8 words = static_cast<u8>(5 + toa_words());
  for (u32 value = 0; value < 0x10000; ++value) {
    const u16 id = static_cast<u16>(value);
    const PacketResult sent = world_.send(in({.id = id}).tcp(40000, web, ack, {.sequence = value}));
    const Frame expected = there({.ttl = 63, .id = id})
                               .tcp(port, inside, ack, {.sequence = value, .data_offset = words})
                               .payload(toa(40000));
    ASSERT_EQ(hex(sent.frame), hex(expected.bytes())) << value;
  }
}

TEST_P(ForwardFullNat, the_kind_is_a_setting_and_0_turns_it_off) {
  world_.settings().toa_kind = 200;
  const u16 port = local_port(world_.send(in().tcp(40000, web, syn)));
  const u8 words = static_cast<u8>(5 + toa_words());
  expect_frame(world_.send(in().tcp(40000, web, ack)),
               there().tcp(port, inside, ack, {.data_offset = words}).payload(toa(40000, 200)), inner_link);
  world_.settings().toa_kind = 0;
  expect_frame(world_.send(in().tcp(40000, web, ack)), there().tcp(port, inside, ack), inner_link);
  world_.expect_counted(std::nullopt);
}

TEST_P(ForwardFullNat, a_segment_without_room_for_the_option_goes_without_and_is_counted) {
  const u16 port = local_port(world_.send(in().tcp(40000, web, syn)));
  const u32 headers = v4() ? 40 : 60;
  const u32 option = toa_words() * 4;
  // The MTU: the last that fits and the first that doesn't.
  EXPECT_EQ(world_.send(in().tcp(40000, web, ack).payload(1500 - headers - option)).frame.size(), 1514U);
  EXPECT_EQ(world_.counted(Reason::toa_no_room), 0U);
  expect_frame(world_.send(in().tcp(40000, web, ack).payload(1501 - headers - option)),
               there().tcp(port, inside, ack).payload(1501 - headers - option), inner_link);
  EXPECT_EQ(world_.counted(Reason::toa_no_room), 1U);
  // The TCP header's length.
  const u8 most = static_cast<u8>(15 - toa_words());
  const auto with_options = [&](u8 words) {
    return in().tcp(40000, web, ack, {.data_offset = words}).payload(Bytes(static_cast<std::size_t>(words - 5) * 4, 1));
  };
  EXPECT_EQ(world_.send(with_options(most)).frame.size(), with_options(most).bytes().size() + option);
  EXPECT_EQ(world_.counted(Reason::toa_no_room), 1U);
  EXPECT_EQ(world_.send(with_options(most + 1)).frame.size(), with_options(most + 1).bytes().size());
  EXPECT_EQ(world_.counted(Reason::toa_no_room), 2U);
}

TEST_P(ForwardFullNat, without_headroom_for_the_option_it_goes_without) {
  const u16 port = local_port(world_.send(in().tcp(40000, web, syn)));
  FrameBuffer buffer = with_headroom(in().tcp(40000, web, ack).bytes(), 2);
  NativePlatform platform(world_.tables(), buffer, world_.now, outer_link);
  EXPECT_EQ(balance(platform), Verdict::redirect);
  EXPECT_EQ(hex(buffer.frame()), hex(there().tcp(port, inside, ack).bytes()));
  world_.expect_counted(Reason::toa_no_room);
}

TEST_P(ForwardFullNat, a_reset_carries_no_option) {
  const u16 port = local_port(world_.send(in().tcp(40000, web, syn)));
  expect_frame(world_.send(in().tcp(40000, web, rst)), there().tcp(port, inside, rst), inner_link);
  world_.expect_counted(std::nullopt);
}

TEST(ForwardFullNatOptions, with_ip_options_there_is_no_room) {
  FullNat world;
  (void)world.send(in4().tcp(40000, web, syn));
  (void)world.send(in4({.options = Bytes(4, 1)}).tcp(40000, web, ack));
  world.expect_counted(Reason::toa_no_room);
}

TEST(ForwardFullNatHops, the_last_hop_the_mtu_unresolved_and_local_ones) {
  FullNat world;
  NextHop& hop = world.tables().next_hops[world.tables().servers[world.rs].route.next_hop];
  EXPECT_EQ(world.send(in4({.ttl = 1}).udp(1, web)).verdict, Verdict::transmit);
  EXPECT_EQ(world.counted(Reason::ttl_exceeded), 1U);
  const Frame large = in4({.dont_fragment = true}).udp(1, web).payload(1473);
  const Frame quoted = in4({.ttl = 63, .dont_fragment = true}).udp(1, web).payload(1473);
  expect_frame(world.send(large),
               to_client().ipv4(vip, client, {.tos = 0xc0}).icmp(3, 4, 1500).payload(quote(quoted, 548)), outer_link);
  EXPECT_EQ(world.counted(Reason::too_big), 1U);
  hop.state = NextHopState::unresolved;
  EXPECT_EQ(world.send(in4().udp(1, web)).verdict, Verdict::drop);
  EXPECT_EQ(world.counted(Reason::next_hop_unresolved), 1U);
  hop.state = NextHopState::local;
  EXPECT_EQ(hex(world.send(in4().udp(1, web)).frame), hex(in4().udp(1, web).bytes()));
  EXPECT_EQ(world.counted(Reason::pass_local), 1U);
}

Config large_tables() {
  Config config = World::small();
  config.connection_buckets = 1U << 15;
  return config;
}

// So many connections of different clients; the local ends that the real server sees.
std::set<std::pair<u32, u16>> connect(FullNat& world, u32 count) {
  std::set<std::pair<u32, u16>> ends;
  for (u32 i = 0; i < count; ++i) {
    const std::string source = "198.18." + std::to_string(i >> 16) + "." + std::to_string(i >> 8 & 0xff);
    const PacketResult result =
        world.send(from_client().ipv4(source, vip).udp(static_cast<u16>(2000 + (i & 0xff)), web));
    if (result.verdict == Verdict::drop) continue;
    u32 address = 0;
    std::memcpy(&address, result.frame.data() + 26, 4);
    EXPECT_TRUE(ends.emplace(address, port_at(result.frame, 34)).second) << "two connections with one local end";
  }
  return ends;
}

TEST(ForwardFullNatPorts, of_one_local_address_are_unique_and_their_exhaustion_has_a_name) {
  FullNat world(large_tables());
  const auto ends = connect(world, 70000);
  const u64 refused = world.counted(Reason::local_ports_exhausted);
  EXPECT_EQ(ends.size() + refused, 70000U);
  EXPECT_GT(refused, 70000U - local_ports - 1);
  EXPECT_GT(ends.size(), local_ports * 97 / 100) << "gave up long before the ports were used up";
  EXPECT_GE(ends.begin()->second, 1024);
  world.expect_order();
}

TEST(ForwardFullNatPorts, nine_of_ten_can_be_in_use_before_one_is_refused) {
  FullNat world(large_tables());
  (void)connect(world, local_ports * 9 / 10);
  EXPECT_EQ(world.counted(Reason::local_ports_exhausted), 0U);
}

TEST(ForwardFullNatPorts, two_local_addresses_serve_70000_connections) {
  FullNat world(large_tables());
  world.director.add_local_address("10.0.0.3");
  const auto ends = connect(world, 70000);
  EXPECT_EQ(ends.size(), 70000U);
  std::map<u32, u32> by_address;
  for (const auto& [address, port] : ends) ++by_address[address];
  EXPECT_EQ(by_address.size(), 2U);
  for (const auto& [address, count] : by_address) EXPECT_GT(count, 30000U);
}

TEST(ForwardFullNatPorts, to_two_servers_one_local_end_may_be_the_same) {
  FullNat world(large_tables());
  const u32 second = world.add_rs(12, Method::fullnat);
  world.director.reschedule({vip, web, 17}, {world.rs, second});
  for (u32 i = 0; i < 100000; ++i) {
    const std::string source = "198.18." + std::to_string(i >> 16) + "." + std::to_string(i >> 8 & 0xff);
    (void)world.send(from_client().ipv4(source, vip).udp(static_cast<u16>(2000 + (i & 0xff)), web));
  }
  EXPECT_EQ(world.counted(Reason::local_ports_exhausted), 0U);
}

TEST(ForwardFullNatPorts, what_a_connection_held_is_free_when_it_expired) {
  FullNat world(large_tables());
  (void)connect(world, 60000);
  world.pass_seconds(301);
  EXPECT_EQ(connect(world, 50000).size(), 50000U);
}

TEST(ForwardFullNatPorts, without_local_addresses_of_the_servers_family_nothing_can_be_connected) {
  World world;
  world.director.add_local_address(lip6);
  const u32 rs = world.add_rs(11, Method::fullnat);
  world.director.add_service({vip, web, 6}, {rs});
  EXPECT_EQ(world.send(in4().tcp(1, web, syn)).verdict, Verdict::drop);
  world.expect_counted(Reason::local_ports_exhausted);
}

// One packet, no connection: but two clients must not look alike, nor come from port 0.
TEST(ForwardFullNatPorts, one_packet_services_too_have_a_local_port) {
  FullNat world;
  world.director.find_service({vip, web, 17}).flags = service_one_packet;
  const PacketResult result = world.send(in4().udp(1, web));
  EXPECT_GE(port_at(result.frame, 34), 1024);
}

TEST(ForwardFullNatTable, a_full_table_refuses_under_a_name_and_holds_no_port) {
  Config config = World::small();
  config.connection_buckets = 2;
  FullNat world(config);
  for (u16 port = 1001; port < 1101; ++port) (void)world.send(in4().udp(port, web));
  EXPECT_EQ(world.records(Role::request), world.records(Role::reply));
  EXPECT_EQ(world.counted(Reason::connection_table_full) + world.counted(Reason::local_ports_exhausted),
            100 - world.records(Role::request));
  world.expect_order();
}

}  // namespace
}  // namespace penstock
