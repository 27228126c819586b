#include "tests/packets/frame.hpp"

#include <gtest/gtest.h>

namespace penstock::packets {
namespace {

constexpr Mac director{2, 0, 0, 0, 1, 1};
constexpr Mac client{2, 0, 0, 0, 1, 0xfe};
constexpr Mac director_inside{2, 0, 0, 0, 2, 1};
constexpr Mac real_server{2, 0, 0, 0, 2, 0x0b};

// The expected bytes left a Linux kernel: tests/golden/recordings.

TEST(Frame, spells_an_icmp_error_about_tcp_as_the_kernel_sent_it) {
  const Frame lost = eth(client, director).ipv4("198.51.100.1", "10.1.0.100", {.id = 1}).tcp(12003, 80, syn);
  const Frame error = eth(director, client)
                          .ipv4("10.1.0.100", "198.51.100.1", {.tos = 0xc0, .id = 28130})
                          .icmp(3, 3)
                          .payload(lost.packet());
  EXPECT_EQ(
      hex(error.bytes()),  // sched-ovf-p
      "0200000001fe020000000101080045c000446de200004001d77d0a010064c6336401030331b100000000450000280001000040064636"
      "c63364010a0100642ee3005000000000000000005002ffff4c160000");
}

TEST(Frame, spells_tcp_behind_an_ipv6_extension_header) {
  const Frame frame = eth(director_inside, real_server)
                          .ipv6("2001:db8::1", "fd00:1::100", {.ttl = 63})
                          .extension(60, {1, 4, 0, 0, 0, 0})
                          .tcp(1001, 80, syn);
  EXPECT_EQ(
      hex(frame.bytes()),  // ipopts-tos-p
      "02000000020b02000000020186dd60000000001c3c3f20010db8000000000000000000000001fd000001000000000000000000000100"
      "060001040000000003e9005000000000000000005002ffff7fee0000");
}

TEST(Frame, spells_an_icmpv6_error_about_udp) {
  const Frame lost = eth(client, director)
                         .ipv6("2001:db8::1", "fd00:1::100", {.ttl = 60})
                         .udp(1000, 53)
                         .payload(Bytes{'a', 'b', 'c', 'd'});
  const Frame error =
      eth(director, client).ipv6("fd00:1::100", "2001:db8::1", {.ttl = 63}).icmp(1, 4).payload(lost.packet());
  Bytes expected = error.bytes();
  put16(expected, 14 + 40 + 8 + 40 + 6,
        0xf770);  // the kernel left the quoted checksum as it came, unfit for its payload
  put16(expected, 14 + 40 + 2, 0);
  const Bytes transport(expected.begin() + 14 + 40, expected.end());
  put16(expected, 14 + 40 + 2,
        naive_transport_checksum(address_bytes("fd00:1::100"), address_bytes("2001:db8::1"), 58, transport));
  EXPECT_EQ(hex(expected),  // icmp-from-rs-nat-udp6-csumok-p
            "0200000001fe02000000010186dd60000000003c3a3ffd00000100000000000000000000010020010db80000000000000000000000"
            "01010475640000000060000000000c113c20010db8000000000000000000000001fd00000100000000000000000000010003e80035"
            "000cf77061626364");
}

TEST(Frame, pads_and_tags_outside_the_ip_packet) {
  const Bytes frame = eth(client, director).vlan(7).ipv4("192.0.2.1", "192.0.2.2").udp(1, 2).padded_to(64);
  EXPECT_EQ(frame.size(), 64U);
  EXPECT_EQ(hex(View(frame).subspan(12, 6)), "810000070800");
  EXPECT_EQ(frame[18 + 3], 28);
}

}  // namespace
}  // namespace penstock::packets
