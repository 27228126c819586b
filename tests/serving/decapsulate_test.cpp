// The end of tunnels on real servers (agent/bpf/decapsulate.bpf.cpp), packet by packet, as XDP and as TC.
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <gtest/gtest.h>
#include <linux/bpf.h>
#include <linux/pkt_cls.h>
#include <unistd.h>

#include <cstdint>
#include <ostream>
#include <string>
#include <vector>

#include "agent/bpf/decapsulate_object.hpp"
#include "tests/serving/loaded_object.hpp"

namespace penstock::serving {
namespace {

Bytes operator+(Bytes left, const Bytes& right) {
  left.insert(left.end(), right.begin(), right.end());
  return left;
}

Bytes big16(std::size_t value) {
  return {static_cast<std::uint8_t>(value >> 8 & 0xff), static_cast<std::uint8_t>(value & 0xff)};
}

// RFC 1071, naively.
std::uint16_t checksum(const Bytes& bytes) {
  std::uint32_t sum = 0;
  for (std::size_t i = 0; i < bytes.size(); ++i) sum += i % 2 == 0 ? bytes[i] * 256U : bytes[i];
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >> 16);
  return static_cast<std::uint16_t>(~sum);
}

// Source and destination.
const Bytes outer4{192, 0, 2, 31, 10, 0, 0, 32};
const Bytes inner_addresses4{198, 51, 100, 7, 192, 0, 2, 40};
Bytes pair6(std::uint8_t source, std::uint8_t destination) {
  Bytes bytes(32, 0x20);
  bytes[15] = source;
  bytes[31] = destination;
  return bytes;
}
const Bytes outer6 = pair6(0x31, 0x32);
const Bytes inner_addresses6 = pair6(0x07, 0x40);

Bytes ethernet(std::uint16_t type) { return Bytes{2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2} + big16(type); }
Bytes ipv4(const Bytes& addresses, std::uint8_t protocol, const Bytes& payload, std::uint16_t fragment = 0x4000) {
  return Bytes{0x45, 0} + big16(20 + payload.size()) + Bytes{0, 1} + big16(fragment) + Bytes{63, protocol, 0, 0} +
         addresses + payload;
}
Bytes ipv6(const Bytes& addresses, std::uint8_t protocol, const Bytes& payload) {
  return Bytes{0x60, 0, 0, 0} + big16(payload.size()) + Bytes{protocol, 63} + addresses + payload;
}
Bytes ipv4(std::uint8_t protocol, const Bytes& payload, std::uint16_t fragment = 0x4000) {
  return ipv4(outer4, protocol, payload, fragment);
}
Bytes ipv6(std::uint8_t protocol, const Bytes& payload) { return ipv6(outer6, protocol, payload); }
Bytes frame4(const Bytes& packet) { return ethernet(0x0800) + packet; }
Bytes frame6(const Bytes& packet) { return ethernet(0x86dd) + packet; }

// 41 and 61 bytes: an odd length is where sums go wrong.
const Bytes inner4 = ipv4(inner_addresses4, 253, Bytes(21, 0x5a));
const Bytes inner6 = ipv6(inner_addresses6, 253, Bytes(21, 0xa5));

Bytes gre(std::uint16_t type, const Bytes& payload) { return big16(0) + big16(type) + payload; }
Bytes gre_with_checksum(std::uint16_t type, const Bytes& payload) {
  const Bytes head = big16(0x8000) + big16(type);
  return head + big16(checksum(head + Bytes(4) + payload)) + Bytes(2) + payload;
}
Bytes gue(std::uint8_t protocol, const Bytes& payload, std::uint8_t first = 0) {
  return Bytes{0xc0, 0x01} + big16(6080) + big16(12 + payload.size()) + big16(0) + Bytes{first, protocol, 0, 0} +
         payload;
}
Bytes gue_with_checksum(std::uint8_t protocol, const Bytes& payload, const Bytes& addresses) {
  Bytes datagram = gue(protocol, payload);
  const std::uint16_t sum = checksum(addresses + Bytes{0, 17} + big16(datagram.size()) + datagram);
  datagram[6] = static_cast<std::uint8_t>(sum >> 8);
  datagram[7] = static_cast<std::uint8_t>(sum & 0xff);
  return datagram;
}
Bytes damaged(Bytes bytes) {
  bytes.back() ^= 1;
  return bytes;
}

struct PacketCase {
  std::string name;
  Bytes in;
  Bytes out;       // empty: dropped
  Bytes out_tc{};  // where TC does another thing
};

PacketCase untouched(const std::string& name, const Bytes& frame) { return {name, frame, frame, {}}; }

const std::vector<PacketCase> cases{
    {"ipip, IPv4 in IPv4", frame4(ipv4(4, inner4)), frame4(inner4)},
    {"ipip, IPv6 in IPv4", frame4(ipv4(41, inner6)), frame6(inner6)},
    {"ipip, IPv4 in IPv6", frame6(ipv6(4, inner4)), frame4(inner4)},
    {"ipip, IPv6 in IPv6", frame6(ipv6(41, inner6)), frame6(inner6)},
    {"gre, IPv4 in IPv4", frame4(ipv4(47, gre(0x0800, inner4))), frame4(inner4)},
    {"gre, IPv6 in IPv6", frame6(ipv6(47, gre(0x86dd, inner6))), frame6(inner6)},
    {"gre with checksum", frame4(ipv4(47, gre_with_checksum(0x0800, inner4))), frame4(inner4)},
    {"gre with checksum in IPv6", frame6(ipv6(47, gre_with_checksum(0x86dd, inner6))), frame6(inner6)},
    {"gre with a wrong checksum",
     frame4(ipv4(47, damaged(gre_with_checksum(0x0800, inner4)))),
     {},
     frame4(damaged(inner4))},
    {"gue, IPv4 in IPv4", frame4(ipv4(17, gue(4, inner4))), frame4(inner4)},
    {"gue, IPv6 in IPv4", frame4(ipv4(17, gue(41, inner6))), frame6(inner6)},
    {"gue with a word of options", frame4(ipv4(17, gue(4, Bytes(4) + inner4, 1))), frame4(inner4)},
    {"gue with checksum", frame4(ipv4(17, gue_with_checksum(4, inner4, outer4))), frame4(inner4)},
    {"gue with checksum in IPv6", frame6(ipv6(17, gue_with_checksum(41, inner6, outer6))), frame6(inner6)},
    {"gue with a wrong checksum",
     frame4(ipv4(17, damaged(gue_with_checksum(4, inner4, outer4)))),
     {},
     frame4(damaged(inner4))},
    untouched("a packet in no tunnel", frame4(inner4)),
    untouched("IPv6 in no tunnel", frame6(inner6)),
    untouched("gre with a key", frame4(ipv4(47, big16(0x2000) + big16(0x0800) + Bytes(4) + inner4))),
    untouched("gre of something else", frame4(ipv4(47, gre(0x6558, inner4)))),
    untouched("gue's control message", frame4(ipv4(17, gue(4, inner4, 0x20)))),
    untouched("UDP to another port", frame4(ipv4(17, big16(6080) + big16(6081) + Bytes(8) + inner4))),
    untouched("the first fragment of an outer packet", frame4(ipv4(4, inner4, 0x2000))),
    untouched("a later fragment of an outer packet", frame4(ipv4(4, inner4, 0x0010))),
    untouched("a tunnel to another host", frame4(ipv4({192, 0, 2, 31, 10, 0, 0, 33}, 4, inner4))),
    untouched("a tunnel to another host in IPv6", frame6(ipv6(pair6(0x31, 0x33), 41, inner6))),
    untouched("a packet within to no VIP", frame4(ipv4(4, ipv4(outer4, 253, Bytes(21))))),
    untouched("a packet within to no VIP of IPv6", frame6(ipv6(41, ipv6(pair6(0x07, 0x41), 253, Bytes(21))))),
    untouched("a VIP's tunnel within a tunnel", frame4(ipv4(4, ipv4(outer4, 4, inner4)))),
    untouched("not IP", ethernet(0x0806) + Bytes(28)),
};

struct Program {
  const char* name;
  std::uint32_t passes;
};

void PrintTo(const Program& program, std::ostream* out) { *out << program.name; }

const Program xdp{"pen_decap_xdp", XDP_PASS};
const Program tc{"pen_decap_tc", static_cast<std::uint32_t>(TC_ACT_UNSPEC)};

class Decapsulate : public testing::TestWithParam<Program> {
 protected:
  void SetUp() override {
    if (geteuid() != 0) GTEST_SKIP() << "SKIPPED: loading a BPF program needs root";
    object_.load();
    for (const char* vip : {"192.0.2.40", "2020:2020:2020:2020:2020:2020:2020:2040"}) object_.add("vips", vip);
    for (const char* own : {"10.0.0.32", "2020:2020:2020:2020:2020:2020:2020:2032"}) object_.add("own_addresses", own);
  }

  Bytes run(const Bytes& frame) const {
    const RunOutcome outcome = object_.run(GetParam().name, frame);
    return outcome.verdict == GetParam().passes ? outcome.frame : Bytes{};
  }
  bool is_strict() const { return GetParam().passes == XDP_PASS; }

 private:
  LoadedObject object_{penstock_decapsulate_bpf_begin, penstock_decapsulate_bpf_end};
};

TEST_P(Decapsulate, inner_packets_go_up_and_all_else_as_it_came) {
  for (const PacketCase& c : cases) {
    const bool differs = !is_strict() && !c.out_tc.empty();
    EXPECT_EQ(run(c.in), differs ? c.out_tc : c.out) << c.name;
  }
}

TEST_P(Decapsulate, any_length_of_payload_adds_up) {
  for (std::size_t size = 0; size < 1400; size += 13) {
    const Bytes inner = ipv4(inner_addresses4, 253, Bytes(size, 0xee));
    EXPECT_EQ(run(frame4(ipv4(17, gue_with_checksum(4, inner, outer4)))), frame4(inner)) << size;
    EXPECT_EQ(run(frame4(ipv4(47, gre_with_checksum(0x0800, inner)))), frame4(inner)) << size;
  }
}

// From the shortest frame that the kernel lets a program be tried on; a cut checksummed packet can't add up.
TEST_P(Decapsulate, truncated_frames_are_never_read_beyond_their_end) {
  for (const PacketCase& c : cases) {
    for (std::size_t size = is_strict() ? 15 : 54; size < c.in.size(); ++size)
      (void)run(Bytes(c.in.begin(), c.in.begin() + static_cast<std::ptrdiff_t>(size)));
  }
  const Bytes whole = frame4(ipv4(47, gre_with_checksum(0x0800, inner4)));
  if (is_strict()) {
    EXPECT_EQ(run(Bytes(whole.begin(), whole.end() - 1)), Bytes{});
  }
}

INSTANTIATE_TEST_SUITE_P(As, Decapsulate, testing::Values(xdp, tc),
                         [](const auto& tested) { return std::string(tested.param.name); });

}  // namespace
}  // namespace penstock::serving
