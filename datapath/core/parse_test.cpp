#include "datapath/core/parse.hpp"

#include <gtest/gtest.h>

#include "datapath/core/unusual.hpp"
#include "datapath/native/native_platform.hpp"
#include "datapath/native/native_tables.hpp"
#include "tests/packets/director.hpp"
#include "tests/packets/frame.hpp"

namespace penstock {
namespace {

using namespace packets;

constexpr Mac client_mac{2, 0, 0, 0, 0, 1};
constexpr Mac director_mac{2, 0, 0, 0, 0, 2};

Frame from_client() { return eth(client_mac, director_mac); }

struct Outcome {
  Parsed parsed;
  Packet packet;
};

// The frame ends where its memory ends, so that address sanitizer sees whoever reads on.
Outcome parse(const Bytes& frame) {
  static NativeTables tables(small_config());
  FrameBuffer buffer(frame);
  NativePlatform platform(tables.view(), buffer, 0, 1);
  Outcome outcome{};
  outcome.parsed = parse_network(platform, outcome.packet);
  if (outcome.parsed.ok && outcome.packet.key.family == Family::ipv6)
    outcome.parsed = skip_extensions(platform, outcome.packet);
  if (outcome.parsed.ok) outcome.parsed = parse_transport(platform, outcome.packet);
  return outcome;
}

const struct Shape {
  const char* name;
  Frame frame;
  std::size_t header;  // bytes of Ethernet, IP, and the extension headers
  std::size_t transport;
} shapes[] = {
    {"tcp over ipv4", from_client().ipv4("198.51.100.7", "192.0.2.1").tcp(40000, 80, syn).payload(9), 34, 20},
    {"udp over ipv4", from_client().ipv4("198.51.100.7", "192.0.2.1").udp(40000, 80).payload(9), 34, 8},
    {"tcp behind ipv4 options",
     from_client().ipv4("198.51.100.7", "192.0.2.1", {.options = Bytes(40, 1)}).tcp(40000, 80, syn), 74, 20},
    {"tcp over ipv6", from_client().ipv6("2001:db8::7", "fd00:1::1").tcp(40000, 80, syn).payload(9), 54, 20},
    {"udp behind four ipv6 extension headers",
     from_client()
         .ipv6("2001:db8::7", "fd00:1::1")
         .extension(0)
         .extension(60, Bytes(14))
         .extension(43, Bytes(22))
         .extension(60)
         .udp(40000, 80),
     54 + 8 + 16 + 24 + 8, 8},
    {"sctp over ipv4", from_client().ipv4("198.51.100.7", "192.0.2.1").sctp(40000, 80, 1), 34, 16},
    {"sctp behind an ipv6 extension header",
     from_client().ipv6("2001:db8::7", "fd00:1::1").extension(60).sctp(40000, 80, 1), 54 + 8, 16},
};

bool is_ipv4(const Bytes& frame) { return frame[12] == 0x08; }

// The same frame, cut, with an IP header that says so.
Bytes cut_with_true_length(Bytes frame, std::size_t length) {
  frame.resize(length);
  if (is_ipv4(frame)) {
    put16(frame, 16, static_cast<u32>(length - 14));
  } else {
    put16(frame, 18, static_cast<u32>(length - 54));
  }
  return frame;
}

TEST(Parse, gives_the_flow_of_every_shape) {
  for (const Shape& shape : shapes) {
    SCOPED_TRACE(shape.name);
    const Bytes frame = shape.frame.bytes();
    const Outcome outcome = parse(frame);
    ASSERT_TRUE(outcome.parsed.ok);
    const bool v4 = is_ipv4(frame);
    const Packet& packet = outcome.packet;
    EXPECT_EQ(packet.key.family, v4 ? Family::ipv4 : Family::ipv6);
    const AddressImage client = image_of(v4 ? "198.51.100.7" : "2001:db8::7");
    const AddressImage vip = image_of(v4 ? "192.0.2.1" : "fd00:1::1");
    EXPECT_EQ(packet.key.client.low, client.low);
    EXPECT_EQ(packet.key.client.high, client.high);
    EXPECT_EQ(packet.key.vip.low, vip.low);
    EXPECT_EQ(packet.key.vip.high, vip.high);
    EXPECT_EQ(host(packet.key.client_port), 40000);
    EXPECT_EQ(host(packet.key.vip_port), 80);
    EXPECT_EQ(packet.key.protocol, shape.transport == 20 ? 6 : shape.transport == 8 ? 17 : 132);
    EXPECT_EQ(packet.protocol, packet.key.protocol);
    EXPECT_EQ(packet.key.role, Role::request);
    EXPECT_EQ(packet.transport, shape.header);
    EXPECT_EQ(packet.ip_length, frame.size() - 14);
    EXPECT_EQ(packet.tcp_flags, shape.transport == 20 ? syn : 0);
    EXPECT_EQ(packet.ttl, 64);
  }
}

TEST(Parse, takes_no_frame_that_is_shorter_than_it_says) {
  for (const Shape& shape : shapes) {
    const Bytes whole = shape.frame.bytes();
    for (std::size_t length = 0; length < whole.size(); ++length) {
      const Outcome outcome = parse({whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(length)});
      ASSERT_FALSE(outcome.parsed.ok) << shape.name << " cut to " << length;
      ASSERT_EQ(outcome.parsed.reason, Reason::pass_malformed) << shape.name << " cut to " << length;
    }
  }
}

TEST(Parse, needs_a_whole_transport_header_within_the_ip_packet) {
  for (const Shape& shape : shapes) {
    const Bytes whole = shape.frame.bytes();
    const std::size_t shortest = is_ipv4(whole) ? 34 : 54;
    for (std::size_t length = shortest; length <= whole.size(); ++length) {
      const Bytes cut = cut_with_true_length(whole, length);
      Bytes padded = cut;
      padded.resize(std::max<std::size_t>(cut.size(), 200), 0x55);
      const bool fits = length >= shape.header + shape.transport;
      ASSERT_EQ(parse(cut).parsed.ok, fits) << shape.name << " of " << length;
      ASSERT_EQ(parse(padded).parsed.ok, fits) << shape.name << " of " << length << ", padded";
    }
  }
}

TEST(Parse, flags_are_read_behind_extension_headers) {
  const Outcome outcome =
      parse(from_client().ipv6("2001:db8::7", "fd00:1::1").extension(60, Bytes(30)).tcp(1, 2, fin | ack));
  ASSERT_TRUE(outcome.parsed.ok);
  EXPECT_EQ(outcome.packet.tcp_flags, fin | ack);  // IPVS reads them at a fixed offset, which is its bug
}

TEST(Parse, sees_what_the_ipv4_header_says_of_fragments) {
  const auto fragment = [](const IpFields& ip) {
    return parse(from_client().ipv4("198.51.100.7", "192.0.2.1", ip).udp(1, 2).payload(64)).packet;
  };
  EXPECT_TRUE(fragment({.dont_fragment = true}).dont_fragment);
  EXPECT_FALSE(is_fragment(fragment({.dont_fragment = true})));
  EXPECT_FALSE(fragment({}).dont_fragment);
  EXPECT_TRUE(fragment({.more_fragments = true}).is_first_fragment);
  EXPECT_FALSE(fragment({.more_fragments = true}).is_later_fragment);
  for (const u16 offset : {u16{1}, u16{0x1fff}}) {
    EXPECT_TRUE(fragment({.fragment_offset = offset}).is_later_fragment);
    EXPECT_FALSE(fragment({.fragment_offset = offset}).is_first_fragment);
    EXPECT_TRUE(fragment({.more_fragments = true, .fragment_offset = offset}).is_later_fragment);
  }
  EXPECT_EQ(fragment({.id = 0x1234, .more_fragments = true}).fragment_id, 0x3412U);
}

TEST(Parse, sees_what_an_ipv6_fragment_header_says) {
  const auto fragment = [](const Bytes& body) {
    return parse(from_client().ipv6("2001:db8::7", "fd00:1::1").extension(60).extension(44, body).udp(1, 2)).packet;
  };
  EXPECT_TRUE(fragment({0, 1, 0, 0, 0, 9}).is_first_fragment);
  EXPECT_TRUE(fragment({0, 8, 0, 0, 0, 9}).is_later_fragment);
  EXPECT_TRUE(fragment({0, 9, 0, 0, 0, 9}).is_later_fragment);
  EXPECT_FALSE(is_fragment(fragment({0, 0, 0, 0, 0, 9}))) << "an atomic fragment is a whole datagram (RFC 6946)";
  EXPECT_TRUE(fragment({0, 0, 0, 0, 0, 9}).dont_fragment);
  EXPECT_FALSE(fragment({0, 1, 0, 0, 0, 9}).dont_fragment);
}

TEST(Parse, ipsec_belongs_to_the_ike_connection_of_its_machines) {
  for (const u8 protocol : {u8{50}, u8{51}}) {
    const Outcome outcome = parse(from_client().ipv4("198.51.100.7", "192.0.2.1").protocol(protocol).payload(40));
    ASSERT_TRUE(outcome.parsed.ok);
    EXPECT_TRUE(outcome.packet.is_portless);
    EXPECT_EQ(outcome.packet.key.protocol, 17);
    EXPECT_EQ(outcome.packet.protocol, protocol);
    EXPECT_EQ(host(outcome.packet.key.client_port), 500);
    EXPECT_EQ(host(outcome.packet.key.vip_port), 500);
  }
}

// By the first chunk; an ABORT bundled behind a cookie counts (IPVS: set_sctp_state).
TEST(Parse, sctp_chunks_are_events) {
  using enum SctpEvent;
  const struct {
    u8 chunk;
    SctpEvent event;
  } cases[] = {{0, data},  {1, init},     {2, init_ack},           {3, data},  {4, data},         {5, data},
               {6, abort}, {7, shutdown}, {8, shutdown_ack},       {9, error}, {10, cookie_echo}, {11, cookie_ack},
               {12, data}, {13, data},    {14, shutdown_complete}, {15, data}, {192, data},       {255, data}};
  for (const auto& test : cases) {
    const Outcome outcome = parse(from_client().ipv4("198.51.100.7", "192.0.2.1").sctp(1, 2, test.chunk));
    ASSERT_TRUE(outcome.parsed.ok);
    EXPECT_EQ(outcome.packet.event, static_cast<u8>(test.event)) << int{test.chunk};
  }
  // A cookie of five bytes is padded to eight; ABORT is the next chunk.
  Bytes body{1, 2, 3, 4, 5};
  const auto bundled = [&body](u8 first) {
    Frame frame = from_client().ipv4("198.51.100.7", "192.0.2.1").sctp(1, 2, first, body);
    return parse(frame.payload(Bytes{0, 0, 0}).payload(Bytes{6, 0, 0, 4})).packet.event;
  };
  EXPECT_EQ(bundled(10), static_cast<u8>(abort));
  EXPECT_EQ(bundled(11), static_cast<u8>(abort));
  EXPECT_EQ(bundled(0), static_cast<u8>(data));
}

}  // namespace
}  // namespace penstock
