#include "datapath/core/parse.hpp"

#include <gtest/gtest.h>

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
    EXPECT_EQ(packet.key.protocol, shape.transport == 20 ? 6 : 17);
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
    return parse(from_client().ipv4("198.51.100.7", "192.0.2.1", ip).udp(1, 2).payload(64));
  };
  EXPECT_TRUE(fragment({.dont_fragment = true}).parsed.ok);
  EXPECT_TRUE(fragment({.dont_fragment = true}).packet.dont_fragment);
  EXPECT_FALSE(fragment({}).packet.dont_fragment);
  EXPECT_EQ(fragment({.more_fragments = true}).parsed.reason, Reason::pass_fragment);
  EXPECT_EQ(fragment({.fragment_offset = 1}).parsed.reason, Reason::pass_fragment);
  EXPECT_EQ(fragment({.fragment_offset = 0x1fff}).parsed.reason, Reason::pass_fragment);
}

}  // namespace
}  // namespace penstock
