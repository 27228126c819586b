// The packet path, one frame at a time: what goes in, what comes out, and under which name it is counted.
#include "datapath/core/balance.hpp"

#include <gtest/gtest.h>

#include <optional>

#include "tests/packets/world.hpp"

namespace penstock {
namespace {

using namespace packets;

const Mac rs2_mac{2, 0, 0, 0, 0, 0x22};  // on the outer link

constexpr u16 web = 80;         // tcp: rs1
constexpr u16 dns = 53;         // udp: rs1
constexpr u16 same_link = 81;   // tcp: rs2, which is where the client is
constexpr u16 quiesced = 82;    // tcp and udp: no server takes new connections
constexpr u16 unresolved = 83;  // tcp: a server whose MAC address is not known
constexpr u16 narrow = 84;      // udp: a server behind an MTU of 1400
constexpr u16 nowhere = 85;     // tcp: the schedule names a slot that does not exist

struct Direct : World {
  Direct() {
    const u32 rs1 = add_rs(11, Method::direct);
    const u32 to_rs2 = director.add_next_hop({.source = director_mac, .destination = rs2_mac, .interface = outer_link});
    const u32 rs2 = director.add_server("10.0.0.22", to_rs2);
    const u32 absent = add_rs(33, Method::direct, {.next_hop = add_hop(33, 1500, NextHopState::unresolved)});
    const u32 far = add_rs(44, Method::direct, {.next_hop = add_hop(11, 1400)});
    for (const std::string& address : {vip, vip6}) {
      director.add_service({address, web, 6}, {rs1});
      director.add_service({address, dns, 17}, {rs1});
      director.add_service({address, same_link, 6}, {rs2});
      director.add_service({address, quiesced, 6}, {});
      director.add_service({address, quiesced, 17}, {});
      director.add_service({address, unresolved, 6}, {absent});
      director.add_service({address, narrow, 17}, {far});
      director.add_service({address, nowhere, 6}, {tables().config.servers_max});
    }
  }
};

Frame to_rs1() { return to_rs(11); }
Frame out4() { return to_rs1().ipv4(client, vip, {.ttl = 63}); }
Frame out6() { return to_rs1().ipv6(client6, vip6, {.ttl = 63}); }

Frame icmp4(u8 type, u8 code, u32 rest, const Bytes& quoted, u8 tos = 0xc0) {
  return to_client().ipv4(vip, client, {.tos = tos}).icmp(type, code, rest).payload(quoted);
}

Frame icmp6(u8 type, u8 code, u32 rest, const Bytes& quoted) {
  return to_client().ipv6(vip6, client6).icmp(type, code, rest).payload(quoted);
}

Bytes with_byte(const Frame& frame, std::size_t at, u8 value) {
  Bytes bytes = frame.bytes();
  bytes.at(at) = value;
  return bytes;
}

Bytes cut(const Frame& frame, std::size_t length) {
  Bytes bytes = frame.bytes();
  bytes.resize(length);
  return bytes;
}

struct PacketCase {
  const char* name;
  Bytes in;
  std::optional<Bytes> out{};  // nothing: as it came
  Verdict verdict;
  std::optional<Reason> reason{};  // nothing: no reason is counted
  u32 interface = outer_link;
};

const PacketCase forwarded[] = {
    {.name = "tcp to a direct real server changes MAC addresses and TTL only",
     .in = in4().tcp(40000, web, syn),
     .out = out4().tcp(40000, web, syn),
     .verdict = Verdict::redirect,
     .interface = inner_link},
    {.name = "the same over ipv6",
     .in = in6().tcp(40000, web, syn),
     .out = out6().tcp(40000, web, syn),
     .verdict = Verdict::redirect,
     .interface = inner_link},
    {.name = "a real server on the link that the frame came by",
     .in = in4().tcp(40000, same_link, syn),
     .out = eth(director_mac, rs2_mac).ipv4(client, vip, {.ttl = 63}).tcp(40000, same_link, syn),
     .verdict = Verdict::transmit},
    {.name = "udp",
     .in = in4().udp(40000, dns).payload(33),
     .out = out4().udp(40000, dns).payload(33),
     .verdict = Verdict::redirect,
     .interface = inner_link},
    {.name = "udp over ipv6",
     .in = in6().udp(40000, dns).payload(33),
     .out = out6().udp(40000, dns).payload(33),
     .verdict = Verdict::redirect,
     .interface = inner_link},
    {.name = "ethernet's padding stays",
     .in = in4().udp(40000, dns).padded_to(60),
     .out = out4().udp(40000, dns).padded_to(60),
     .verdict = Verdict::redirect,
     .interface = inner_link},
    {.name = "ipv4 options stay",
     .in = from_client().ipv4(client, vip, {.options = Bytes(40, 1)}).tcp(40000, web, syn),
     .out = to_rs1().ipv4(client, vip, {.ttl = 63, .options = Bytes(40, 1)}).tcp(40000, web, syn),
     .verdict = Verdict::redirect,
     .interface = inner_link},
    {.name = "type of service and id stay",
     .in = from_client().ipv4(client, vip, {.tos = 0xb9, .id = 0xffff}).tcp(40000, web, syn),
     .out = to_rs1().ipv4(client, vip, {.ttl = 63, .tos = 0xb9, .id = 0xffff}).tcp(40000, web, syn),
     .verdict = Verdict::redirect,
     .interface = inner_link},
    {.name = "six ipv6 extension headers",
     .in = in6()
               .extension(0)
               .extension(60)
               .extension(43)
               .extension(60, Bytes(22))
               .extension(60)
               .extension(60)
               .tcp(40000, web, syn),
     .out = out6()
                .extension(0)
                .extension(60)
                .extension(43)
                .extension(60, Bytes(22))
                .extension(60)
                .extension(60)
                .tcp(40000, web, syn),
     .verdict = Verdict::redirect,
     .interface = inner_link},
    {.name = "the last hop but one",
     .in = in4({.ttl = 2}).udp(40000, dns),
     .out = to_rs1().ipv4(client, vip, {.ttl = 1}).udp(40000, dns),
     .verdict = Verdict::redirect,
     .interface = inner_link},
    {.name = "as long as the MTU",
     .in = in4().udp(40000, narrow).payload(1400 - 28),
     .out = out4().udp(40000, narrow).payload(1400 - 28),
     .verdict = Verdict::redirect,
     .interface = inner_link},
    {.name = "as long as the MTU over ipv6",
     .in = in6().udp(40000, narrow).payload(1400 - 48),
     .out = out6().udp(40000, narrow).payload(1400 - 48),
     .verdict = Verdict::redirect,
     .interface = inner_link},
    {.name = "SYN and ACK begin a connection",
     .in = in4().tcp(40000, web, syn | ack),
     .out = out4().tcp(40000, web, syn | ack),
     .verdict = Verdict::redirect,
     .interface = inner_link},
    {.name = "SYN and FIN begin a connection",
     .in = in4().tcp(40000, web, syn | fin),
     .out = out4().tcp(40000, web, syn | fin),
     .verdict = Verdict::redirect,
     .interface = inner_link},
    {.name = "a data offset beyond the packet doesn't matter",
     .in = in4().tcp(40000, web, syn, {.data_offset = 15}),
     .out = out4().tcp(40000, web, syn, {.data_offset = 15}),
     .verdict = Verdict::redirect,
     .interface = inner_link},
};

const Frame lost = in4().tcp(40000, quiesced, syn);
const Frame lost6 = in6().tcp(40000, quiesced, syn);
const Frame lost_odd = in4().udp(40000, quiesced).payload(7);
const Frame lost_odd6 = in6().udp(40000, quiesced).payload(13);

Frame lost_of(std::size_t length) { return in4().udp(40000, quiesced).payload(length - 28); }
Frame lost6_of(std::size_t length) { return in6().udp(40000, quiesced).payload(length - 48); }
Frame narrow_of(std::size_t length, bool dont_fragment, u8 ttl = 64) {
  return from_client()
      .ipv4(client, vip, {.ttl = ttl, .dont_fragment = dont_fragment})
      .udp(40000, narrow)
      .payload(length - 28);
}
Frame narrow6_of(std::size_t length, u8 ttl = 64) { return in6({.ttl = ttl}).udp(40000, narrow).payload(length - 48); }
Frame last_hop(u8 tos) { return from_client().ipv4(client, vip, {.ttl = 1, .tos = tos}).tcp(40000, web, syn); }

const PacketCase refused_with_an_error[] = {
    {.name = "no server takes new connections: port unreachable, also for tcp",
     .in = lost,
     .out = icmp4(3, 3, 0, quote(lost)),
     .verdict = Verdict::transmit,
     .reason = Reason::no_destination},
    {.name = "the same over ipv6",
     .in = lost6,
     .out = icmp6(1, 4, 0, quote(lost6)),
     .verdict = Verdict::transmit,
     .reason = Reason::no_destination},
    {.name = "an odd number of bytes",
     .in = lost_odd,
     .out = icmp4(3, 3, 0, quote(lost_odd)),
     .verdict = Verdict::transmit,
     .reason = Reason::no_destination},
    {.name = "an odd number of bytes over ipv6",
     .in = lost_odd6,
     .out = icmp6(1, 4, 0, quote(lost_odd6)),
     .verdict = Verdict::transmit,
     .reason = Reason::no_destination},
    {.name = "padding is not quoted",
     .in = lost.padded_to(60),
     .out = icmp4(3, 3, 0, quote(lost)),
     .verdict = Verdict::transmit,
     .reason = Reason::no_destination},
    {.name = "the longest packet that is quoted whole",
     .in = lost_of(548),
     .out = icmp4(3, 3, 0, quote(lost_of(548))),
     .verdict = Verdict::transmit,
     .reason = Reason::no_destination},
    {.name = "one byte more is cut",
     .in = lost_of(549),
     .out = icmp4(3, 3, 0, quote(lost_of(549), 548)),
     .verdict = Verdict::transmit,
     .reason = Reason::no_destination},
    {.name = "a long packet is cut",
     .in = lost_of(1500),
     .out = icmp4(3, 3, 0, quote(lost_of(1500), 548)),
     .verdict = Verdict::transmit,
     .reason = Reason::no_destination},
    {.name = "the longest packet that is quoted whole over ipv6",
     .in = lost6_of(1232),
     .out = icmp6(1, 4, 0, quote(lost6_of(1232))),
     .verdict = Verdict::transmit,
     .reason = Reason::no_destination},
    {.name = "one byte more is cut over ipv6",
     .in = lost6_of(1233),
     .out = icmp6(1, 4, 0, quote(lost6_of(1233), 1232)),
     .verdict = Verdict::transmit,
     .reason = Reason::no_destination},
    {.name = "a slot that does not exist takes no connections",
     .in = in4().tcp(40000, nowhere, syn),
     .out = icmp4(3, 3, 0, quote(in4().tcp(40000, nowhere, syn))),
     .verdict = Verdict::transmit,
     .reason = Reason::no_destination},
    {.name = "ttl 1 ends here",
     .in = last_hop(0),
     .out = icmp4(11, 0, 0, quote(last_hop(0))),
     .verdict = Verdict::transmit,
     .reason = Reason::ttl_exceeded},
    {.name = "the error keeps the service bits of the packet",
     .in = last_hop(0xff),
     .out = icmp4(11, 0, 0, quote(last_hop(0xff)), 0xde),
     .verdict = Verdict::transmit,
     .reason = Reason::ttl_exceeded},
    {.name = "ttl 0 should not have come here",
     .in = in4({.ttl = 0}).tcp(40000, web, syn),
     .out = icmp4(11, 0, 0, quote(in4({.ttl = 0}).tcp(40000, web, syn))),
     .verdict = Verdict::transmit,
     .reason = Reason::ttl_exceeded},
    {.name = "hop limit 1 ends here",
     .in = in6({.ttl = 1}).udp(40000, dns).payload(1),
     .out = icmp6(3, 0, 0, quote(in6({.ttl = 1}).udp(40000, dns).payload(1))),
     .verdict = Verdict::transmit,
     .reason = Reason::ttl_exceeded},
    {.name = "too long, and not to be fragmented: the MTU is told, of a packet that had gone one hop further",
     .in = narrow_of(1401, true),
     .out = icmp4(3, 4, 1400, quote(narrow_of(1401, true, 63), 548)),
     .verdict = Verdict::transmit,
     .reason = Reason::too_big},
    {.name = "too long over ipv6: the MTU is told",
     .in = narrow6_of(1401),
     .out = icmp6(2, 0, 1400, quote(narrow6_of(1401, 63), 1232)),
     .verdict = Verdict::transmit,
     .reason = Reason::too_big},
};

const PacketCase dropped[] = {
    {.name = "too long, and would have to be fragmented",
     .in = narrow_of(1401, false),
     .verdict = Verdict::drop,
     .reason = Reason::to_be_fragmented},
    {.name = "the real server's MAC address is not known",
     .in = in4().tcp(40000, unresolved, syn),
     .verdict = Verdict::drop,
     .reason = Reason::next_hop_unresolved},
};

Frame other_address() { return from_client().ipv4(client, "192.0.2.2").tcp(40000, web, syn); }
Bytes with_ip_length(const Frame& frame, u16 length) {
  Bytes bytes = frame.bytes();
  put16(bytes, 16, length);
  return bytes;
}

const PacketCase left_to_the_kernel[] = {
    {.name = "ARP",
     .in = from_client().ethertype(0x0806).payload(28),
     .verdict = Verdict::pass,
     .reason = Reason::pass_not_ip},
    {.name = "an unknown EtherType",
     .in = from_client().ethertype(0x88cc).payload(100),
     .verdict = Verdict::pass,
     .reason = Reason::pass_not_ip},
    {.name = "a multicast MAC address",
     .in = eth(client_mac, {1, 0, 0x5e, 0, 0, 1}).ipv4(client, vip).tcp(40000, web, syn),
     .verdict = Verdict::pass,
     .reason = Reason::pass_other_host},
    {.name = "broadcast",
     .in = eth(client_mac, {255, 255, 255, 255, 255, 255}).ipv4(client, vip).udp(40000, dns),
     .verdict = Verdict::pass,
     .reason = Reason::pass_other_host},
    {.name = "another machine's MAC address",
     .in = eth(client_mac, {2, 0, 0, 0, 0, 0xd1}).ipv4(client, vip).tcp(40000, web, syn),
     .verdict = Verdict::pass,
     .reason = Reason::pass_other_host},
    {.name = "an address that is not virtual",
     .in = other_address(),
     .verdict = Verdict::pass,
     .reason = Reason::pass_not_virtual},
    {.name = "a port without a service",
     .in = in4().tcp(40000, 8080, syn),
     .verdict = Verdict::pass,
     .reason = Reason::pass_no_service},
    {.name = "a service of the other protocol",
     .in = in4().udp(40000, web),
     .verdict = Verdict::pass,
     .reason = Reason::pass_no_service},
    {.name = "echo request",
     .in = in4().icmp(8, 0, 0x00010001).payload(56),
     .verdict = Verdict::pass,
     .reason = Reason::pass_icmp},
    {.name = "echo request over ipv6",
     .in = in6().icmp(128, 0, 0x00010001).payload(56),
     .verdict = Verdict::pass,
     .reason = Reason::pass_icmp},
    {.name = "GRE", .in = in4().protocol(47).payload(40), .verdict = Verdict::pass, .reason = Reason::pass_protocol},
    {.name = "seven ipv6 extension headers",
     .in = in6().extension(0).extension(60).extension(43).extension(60).extension(60).extension(60).extension(60).tcp(
         40000, web, syn),
     .verdict = Verdict::pass,
     .reason = Reason::pass_protocol},
    {.name = "an authentication header, without an IKE service",
     .in = in6().extension(51, Bytes(22)).tcp(40000, web, syn),
     .verdict = Verdict::pass,
     .reason = Reason::pass_no_service},
    {.name = "sctp of eleven bytes and a chunk",
     .in = cut(in4().protocol(132).payload(11), 45),
     .verdict = Verdict::pass,
     .reason = Reason::pass_malformed},
    {.name = "no frame at all", .in = {}, .verdict = Verdict::pass, .reason = Reason::pass_malformed},
    {.name = "half an Ethernet header",
     .in = cut(in4(), 13),
     .verdict = Verdict::pass,
     .reason = Reason::pass_malformed},
    {.name = "version 5 in ipv4's place",
     .in = with_byte(in4().tcp(40000, web, syn), 14, 0x55),
     .verdict = Verdict::pass,
     .reason = Reason::pass_malformed},
    {.name = "version 4 in ipv6's place",
     .in = with_byte(in6().tcp(40000, web, syn), 14, 0x40),
     .verdict = Verdict::pass,
     .reason = Reason::pass_malformed},
    {.name = "an ipv4 header of four words",
     .in = with_byte(in4().tcp(40000, web, syn), 14, 0x44),
     .verdict = Verdict::pass,
     .reason = Reason::pass_malformed},
    {.name = "an ipv4 header that is longer than its packet",
     .in = with_byte(in4().udp(40000, dns), 14, 0x48),
     .verdict = Verdict::pass,
     .reason = Reason::pass_malformed},
    {.name = "an ipv4 packet that is longer than its frame",
     .in = with_ip_length(in4().udp(40000, dns), 29),
     .verdict = Verdict::pass,
     .reason = Reason::pass_malformed},
    {.name = "an ipv4 packet that is shorter than its header",
     .in = with_ip_length(in4().udp(40000, dns), 19),
     .verdict = Verdict::pass,
     .reason = Reason::pass_malformed},
    {.name = "a wrong header checksum",
     .in = with_byte(in4().tcp(40000, web, syn), 25, 0),
     .verdict = Verdict::pass,
     .reason = Reason::pass_malformed},
    {.name = "a wrong header checksum over options",
     .in = with_byte(from_client().ipv4(client, vip, {.options = Bytes(40, 1)}).tcp(40000, web, syn), 73, 0),
     .verdict = Verdict::pass,
     .reason = Reason::pass_malformed},
    {.name = "seven bytes of udp",
     .in = with_ip_length(in4().udp(40000, dns), 27),
     .verdict = Verdict::pass,
     .reason = Reason::pass_malformed},
    {.name = "nineteen bytes of tcp",
     .in = with_ip_length(in4().tcp(40000, web, syn), 39),
     .verdict = Verdict::pass,
     .reason = Reason::pass_malformed},
    {.name = "tcp that begins nothing",
     .in = in4().tcp(40000, web, ack),
     .verdict = Verdict::pass,
     .reason = Reason::pass_no_connection},
    {.name = "a SYN from FTP's data port begins nothing",
     .in = in4().tcp(20, web, syn),
     .verdict = Verdict::pass,
     .reason = Reason::pass_no_connection},
    {.name = "SYN and RST begin nothing",
     .in = in4().tcp(40000, web, syn | rst),
     .verdict = Verdict::pass,
     .reason = Reason::pass_no_connection},
    {.name = "tcp that begins nothing doesn't ask for a server",
     .in = in4().tcp(40000, quiesced, fin | ack),
     .verdict = Verdict::pass,
     .reason = Reason::pass_no_connection},
};

// Each case meets a director that has seen no packet yet.
template <std::size_t count>
void run(const PacketCase (&cases)[count]) {
  for (const PacketCase& test : cases) {
    SCOPED_TRACE(test.name);
    Direct world;
    const PacketResult result = world.send(test.in);
    EXPECT_EQ(result.verdict, test.verdict);
    if (test.verdict != Verdict::drop) {
      EXPECT_EQ(result.frame, test.out.value_or(test.in));
    }
    EXPECT_EQ(result.interface, test.interface);
    world.expect_counted(test.reason);
  }
}

TEST(Balance, forwards) { run(forwarded); }
TEST(Balance, answers_with_an_error) { run(refused_with_an_error); }
TEST(Balance, drops) { run(dropped); }
TEST(Balance, leaves_to_the_kernel) { run(left_to_the_kernel); }

// The id steers the header's checksum through all its values, the two zeroes' neighbours among them.
TEST(Balance, the_ipv4_checksum_is_right_whatever_it_was) {
  Direct world;
  for (u32 id = 0; id < 0x10000; ++id) {
    const IpFields sent{.ttl = 64, .id = static_cast<u16>(id)};
    const IpFields expected{.ttl = 63, .id = static_cast<u16>(id)};
    const PacketResult result = world.send(from_client().ipv4(client, vip, sent).udp(1, dns));
    ASSERT_EQ(result.frame, to_rs1().ipv4(client, vip, expected).udp(1, dns).bytes()) << id;
  }
}

TEST(Balance, what_comes_from_no_single_machine_is_neither_forwarded_nor_answered) {
  Direct world;
  for (const char* source : {"0.0.0.0", "0.1.2.3", "127.0.0.1", "224.0.0.1", "239.255.255.255", "240.0.0.1",
                             "255.255.255.255", "192.0.2.1"}) {
    EXPECT_EQ(world.send(from_client().ipv4(source, vip).tcp(40000, web, syn)).verdict, Verdict::pass) << source;
    EXPECT_EQ(world.send(from_client().ipv4(source, vip).udp(40000, quiesced)).verdict, Verdict::pass) << source;
  }
  for (const char* source : {"::", "::1", "ff02::1", "2001:db8:1::1"}) {
    EXPECT_EQ(world.send(from_client().ipv6(source, vip6).udp(40000, quiesced)).verdict, Verdict::pass) << source;
  }
  for (const char* source : {"1.0.0.1", "126.255.255.255", "128.0.0.0", "223.255.255.255"}) {
    EXPECT_EQ(world.send(from_client().ipv4(source, vip).tcp(40000, web, syn)).verdict, Verdict::redirect) << source;
  }
  for (const char* source : {"::2", "::1:0:0:0:1", "fe80::1", "2001:db8:1::2"}) {
    EXPECT_EQ(world.send(from_client().ipv6(source, vip6).tcp(40000, web, syn)).verdict, Verdict::redirect) << source;
  }
  EXPECT_EQ(world.tables().reasons[0].packets[static_cast<u32>(Reason::pass_malformed)], 20U);
}

TEST(Balance, what_claims_to_come_from_the_director_itself_is_left_to_the_kernel) {
  Direct world;
  world.director.add_own("203.0.113.0", 24);
  world.director.add_own("2001:db8:5::1", 128);
  EXPECT_EQ(world.send(from_client().ipv4("203.0.113.9", vip).tcp(1, web, syn)).verdict, Verdict::pass);
  EXPECT_EQ(world.send(from_client().ipv6("2001:db8:5::1", vip6).tcp(1, web, syn)).verdict, Verdict::pass);
  EXPECT_EQ(world.counted(Reason::pass_malformed), 2U);
  EXPECT_EQ(world.send(from_client().ipv4("203.0.114.9", vip).tcp(1, web, syn)).verdict, Verdict::redirect);
  EXPECT_EQ(world.send(from_client().ipv6("2001:db8:5::2", vip6).tcp(1, web, syn)).verdict, Verdict::redirect);
}

TEST(Balance, sloppy_tcp_begins_with_anything_but_a_reset) {
  Direct world;
  world.tables().settings->sloppy_tcp = 1;
  EXPECT_EQ(world.send(in4().tcp(1, web, ack)).verdict, Verdict::redirect);
  EXPECT_EQ(world.send(in4().tcp(2, web, 0)).verdict, Verdict::redirect);
  EXPECT_EQ(world.send(in4().tcp(3, web, rst | ack)).verdict, Verdict::pass);
}

TEST(Balance, an_interface_that_is_not_known_takes_frames_for_any_address) {
  Direct world;
  world.tables().interfaces[outer_link].known = 0;
  const Frame to_somebody = eth(client_mac, {2, 9, 9, 9, 9, 9}).ipv4(client, vip).tcp(1, web, syn);
  EXPECT_EQ(world.send(to_somebody).verdict, Verdict::redirect);
  EXPECT_EQ(world.send(to_somebody, interfaces_max).verdict, Verdict::redirect);
}

TEST(Balance, behind_generic_xdp_a_length_says_nothing_of_the_mtu) {
  Direct world;
  world.tables().interfaces[outer_link].hook = Hook::generic;
  const PacketResult result = world.send(narrow_of(2800, true));
  EXPECT_EQ(result.verdict, Verdict::redirect);
}

TEST(Balance, counts_connections_packets_and_bytes_of_the_server) {
  Direct world;
  Tables& tables = world.tables();
  (void)world.send(in4().tcp(40000, web, syn));
  (void)world.send(in4().tcp(40000, web, ack).payload(5).padded_to(60));
  (void)world.send(in6().udp(40000, dns).payload(100));
  (void)world.send(in4({.ttl = 1}).tcp(40000, web, ack));  // answered with time exceeded
  const ServerCounters& counters = tables.counters[1];
  EXPECT_EQ(counters.connections, 2U);
  EXPECT_EQ(counters.in_packets, 4U);
  EXPECT_EQ(counters.in_bytes, 40U + 45U + 148U + 40U);
  EXPECT_EQ(counters.out_packets, 1U);
  EXPECT_EQ(counters.out_bytes, 28U + 40U);
}

TEST(Balance, without_room_for_the_error_the_packet_is_dropped) {
  for (const std::size_t headroom : {26U, 30U}) {  // an IP and an ICMP header are 28 bytes
    Direct world;
    FrameBuffer buffer = with_headroom(lost.bytes(), headroom);
    NativePlatform platform(world.tables(), buffer, world.now, outer_link);
    EXPECT_EQ(balance(platform), headroom == 30 ? Verdict::transmit : Verdict::drop);
    EXPECT_EQ(world.counted(Reason::no_room), headroom == 30 ? 0U : 1U);
  }
}

// The packet path hands a row's absence on as a bug; it must not fall over it.
TEST(Balance, survives_a_missing_row_of_any_table) {
  for (int missing = 0; missing < 15; ++missing) {
    Direct world;
    world.director.add_local_address(inner_address);
    const u32 nat = world.add_rs(55, Method::nat);
    const u32 fullnat = world.add_rs(56, Method::fullnat);
    world.director.add_service({vip, 86, 6}, {nat});
    world.director.add_service({vip, 87, 6}, {fullnat});
    Tables tables = world.tables();
    if (missing == 0) tables.connections = {};
    if (missing == 1) tables.connection_tags = {};
    if (missing == 2) tables.services = {};
    if (missing == 3) tables.servers = {};
    if (missing == 4) tables.next_hops = {};
    if (missing == 5) tables.schedules = {};
    if (missing == 6) tables.loads = {};
    if (missing == 7) tables.counters = {};
    if (missing == 8) tables.settings = nullptr;
    if (missing == 9) tables.service_tags = {};
    if (missing == 10) tables.reasons = {};
    if (missing == 11) tables.interfaces = {};
    if (missing == 12) tables.vip_filter = nullptr;
    if (missing == 13) tables.local_pool = nullptr;
    if (missing == 14) tables.shared = nullptr;
    for (const Frame& frame : {in4().tcp(40000, web, syn), in4().tcp(40000, web, ack), in6().udp(40000, dns),
                               in4().tcp(40000, 86, syn), in4().tcp(40000, 87, syn)}) {
      const PacketResult result = process(tables, frame.bytes(), world.now, outer_link);
      EXPECT_NE(result.verdict, Verdict::aborted) << missing;
    }
  }
}

}  // namespace
}  // namespace penstock
