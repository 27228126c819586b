// Giving packets other ends: checksums by their change are those of the whole packet, and SCTP's CRC32c is the one of the RFCs.
#include "datapath/core/ends.hpp"

#include <gtest/gtest.h>

#include <random>

#include "datapath/core/crc32c.hpp"
#include "tests/packets/world.hpp"

namespace penstock {
namespace {

using namespace packets;

// RFC 3720 Appendix B.4: 32 bytes of zeros. The packet's own checksum counts as zeros, so the judge must agree, too.
TEST(Crc32c, of_zeros_is_that_of_the_rfc) {
  EXPECT_EQ(naive_crc32c(Bytes(32)), 0x8a9136aaU);
  u32 value = ~0U;
  for (u32 i = 0; i < 32; ++i) value = value >> 8 ^ crc32c_table.entry[value & 0xff];
  EXPECT_EQ(~value, 0x8a9136aaU);
}

TEST(Crc32c, the_table_gives_the_rfcs_other_vectors) {
  const auto crc = [](const Bytes& bytes) {
    u32 value = ~0U;
    for (const u8 byte : bytes) value = value >> 8 ^ crc32c_table.entry[(value ^ byte) & 0xff];
    return ~value;
  };
  Bytes ascending;
  for (u8 i = 0; i < 32; ++i) ascending.push_back(i);
  EXPECT_EQ(crc(Bytes(32, 0xff)), 0x62a8ab43U);
  EXPECT_EQ(crc(ascending), 0x46dd794eU);
  EXPECT_EQ(crc(Bytes{'1', '2', '3', '4', '5', '6', '7', '8', '9'}), 0xe3069283U);
}

// A packet in hand, as the stages have it.
struct InHand {
  explicit InHand(const Bytes& frame) : buffer(frame), platform(tables(), buffer, 0, outer_link) {
    Work& work = *platform.work();
    EXPECT_TRUE(parse_network(platform, work.packet).ok);
    EXPECT_TRUE(parse_transport(platform, work.packet).ok);
  }
  static const Tables& tables() {
    static NativeTables all(World::small());
    return all.view();
  }
  FrameBuffer buffer;
  NativePlatform platform;
};

TEST(Crc32c, of_a_packet_is_right_at_every_length) {
  for (std::size_t length = 0; length <= 1480; length += length < 200 ? 1 : 37) {
    const Frame frame = in4().sctp(1, 2, 0, Bytes()).payload(length);
    Bytes spoilt = frame.bytes();
    put_little32(spoilt, 42, 0xdeadbeef);
    InHand hand(spoilt);
    ASSERT_EQ(hand.platform.run_crc(*hand.platform.work()), 1U);
    ASSERT_EQ(hex(hand.buffer.frame()), hex(frame.bytes())) << length;
  }
}

std::string random_address(std::mt19937& random, bool v4) {
  Bytes bytes(v4 ? 4 : 16);
  for (u8& byte : bytes) byte = static_cast<u8>(random() % 3 == 0 ? (random() % 2 ? 0xff : 0) : random());
  char text[64];
  return inet_ntop(v4 ? AF_INET : AF_INET6, bytes.data(), text, sizeof text);
}

TEST(Ends, any_others_leave_a_right_packet) {
  std::mt19937 random(1);
  for (u32 i = 0; i < 30000; ++i) {
    const bool v4 = i % 2 == 0;
    const u8 protocol = i % 3 == 0 ? 6 : i % 3 == 1 ? 17 : 132;
    const auto packet = [&](const std::string& from, const std::string& to, u16 from_port, u16 to_port) {
      const Frame ends = v4 ? from_client().ipv4(from, to) : from_client().ipv6(from, to);
      const Frame transport = protocol == 6    ? ends.tcp(from_port, to_port, ack)
                              : protocol == 17 ? ends.udp(from_port, to_port)
                                               : ends.sctp(from_port, to_port, 0);
      return transport.payload(i % 7);
    };
    const auto port = [&random] { return static_cast<u16>(random() % 4 == 0 ? 0xffff : random()); };
    const std::string addresses[] = {random_address(random, v4), random_address(random, v4), random_address(random, v4),
                                     random_address(random, v4)};
    const u16 ports[] = {port(), port(), port(), port()};
    InHand hand(packet(addresses[0], addresses[1], ports[0], ports[1]));
    Work& work = *hand.platform.work();
    const Ends to{.source = image_of(addresses[2]),
                  .destination = image_of(addresses[3]),
                  .source_port = big(ports[2]),
                  .destination_port = big(ports[3])};
    ASSERT_TRUE(write_ends(hand.platform, work, ends_of(work.packet.key), to));
    ASSERT_EQ(hex(hand.buffer.frame()), hex(packet(addresses[2], addresses[3], ports[2], ports[3]).bytes()))
        << "case " << i;
  }
}

// Of the two zeroes of ones' complement UDP sends all ones, as the other means that there is no checksum.
TEST(Ends, a_udp_checksum_that_becomes_zero_is_sent_as_all_ones) {
  u32 met = 0;
  for (u32 value = 0; value < 0x10000; ++value) {
    const Bytes payload{static_cast<u8>(value >> 8), static_cast<u8>(value)};
    const Bytes expected = from_client().ipv4(client, rip(11)).udp(1, 2).payload(payload).bytes();
    if (expected[40] != 0xff || expected[41] != 0xff) continue;
    ++met;
    InHand hand(in4().udp(1, 2).payload(payload));
    Work& work = *hand.platform.work();
    Ends to = ends_of(work.packet.key);
    to.destination = image_of(rip(11));
    ASSERT_TRUE(write_ends(hand.platform, work, ends_of(work.packet.key), to));
    ASSERT_EQ(hex(hand.buffer.frame()), hex(expected));
  }
  EXPECT_GT(met, 0U);
}

}  // namespace
}  // namespace penstock
