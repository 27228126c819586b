// The end of tunnels on real servers (lab/decapsulate.bpf.cpp), packet by packet: the tests of tunnels rest on its strictness.
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <gtest/gtest.h>
#include <linux/bpf.h>
#include <unistd.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "lab/decapsulate_object.hpp"

namespace penstock::serving {
namespace {

using Bytes = std::vector<std::uint8_t>;

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

const Bytes addresses4{192, 0, 2, 31, 10, 0, 0, 32};
const Bytes addresses6 = [] {
  Bytes bytes(32, 0x20);
  bytes[31] = 0x32;
  return bytes;
}();

Bytes ethernet(std::uint16_t type) { return Bytes{2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2} + big16(type); }
Bytes ipv4(std::uint8_t protocol, const Bytes& payload, std::uint16_t fragment = 0x4000) {
  return Bytes{0x45, 0} + big16(20 + payload.size()) + Bytes{0, 1} + big16(fragment) + Bytes{63, protocol, 0, 0} +
         addresses4 + payload;
}
Bytes ipv6(std::uint8_t protocol, const Bytes& payload) {
  return Bytes{0x60, 0, 0, 0} + big16(payload.size()) + Bytes{protocol, 63} + addresses6 + payload;
}
Bytes frame4(const Bytes& packet) { return ethernet(0x0800) + packet; }
Bytes frame6(const Bytes& packet) { return ethernet(0x86dd) + packet; }

// 41 and 61 bytes: an odd length is where sums go wrong.
const Bytes inner4 = ipv4(253, Bytes(21, 0x5a));
const Bytes inner6 = ipv6(253, Bytes(21, 0xa5));

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
  Bytes out;  // empty: dropped
};

PacketCase untouched(const std::string& name, const Bytes& frame) { return {name, frame, frame}; }

const std::vector<PacketCase> cases{
    {"ipip, IPv4 in IPv4", frame4(ipv4(4, inner4)), frame4(inner4)},
    {"ipip, IPv6 in IPv4", frame4(ipv4(41, inner6)), frame6(inner6)},
    {"ipip, IPv4 in IPv6", frame6(ipv6(4, inner4)), frame4(inner4)},
    {"ipip, IPv6 in IPv6", frame6(ipv6(41, inner6)), frame6(inner6)},
    {"gre, IPv4 in IPv4", frame4(ipv4(47, gre(0x0800, inner4))), frame4(inner4)},
    {"gre, IPv6 in IPv6", frame6(ipv6(47, gre(0x86dd, inner6))), frame6(inner6)},
    {"gre with checksum", frame4(ipv4(47, gre_with_checksum(0x0800, inner4))), frame4(inner4)},
    {"gre with checksum in IPv6", frame6(ipv6(47, gre_with_checksum(0x86dd, inner6))), frame6(inner6)},
    {"gre with a wrong checksum", frame4(ipv4(47, damaged(gre_with_checksum(0x0800, inner4)))), {}},
    {"gue, IPv4 in IPv4", frame4(ipv4(17, gue(4, inner4))), frame4(inner4)},
    {"gue, IPv6 in IPv4", frame4(ipv4(17, gue(41, inner6))), frame6(inner6)},
    {"gue with a word of options", frame4(ipv4(17, gue(4, Bytes(4) + inner4, 1))), frame4(inner4)},
    {"gue with checksum", frame4(ipv4(17, gue_with_checksum(4, inner4, addresses4))), frame4(inner4)},
    {"gue with checksum in IPv6", frame6(ipv6(17, gue_with_checksum(41, inner6, addresses6))), frame6(inner6)},
    {"gue with a wrong checksum", frame4(ipv4(17, damaged(gue_with_checksum(4, inner4, addresses4)))), {}},
    untouched("a packet in no tunnel", frame4(inner4)),
    untouched("IPv6 in no tunnel", frame6(inner6)),
    untouched("gre with a key", frame4(ipv4(47, big16(0x2000) + big16(0x0800) + Bytes(4) + inner4))),
    untouched("gre of something else", frame4(ipv4(47, gre(0x6558, inner4)))),
    untouched("gue's control message", frame4(ipv4(17, gue(4, inner4, 0x20)))),
    untouched("UDP to another port", frame4(ipv4(17, big16(6080) + big16(6081) + Bytes(8) + inner4))),
    untouched("the first fragment of an outer packet", frame4(ipv4(4, inner4, 0x2000))),
    untouched("a later fragment of an outer packet", frame4(ipv4(4, inner4, 0x0010))),
    untouched("not IP", ethernet(0x0806) + Bytes(28)),
};

class Decapsulate : public testing::Test {
 protected:
  void SetUp() override {
    if (geteuid() != 0) GTEST_SKIP() << "SKIPPED: loading a BPF program needs root";
    const auto* begin = penstock_decapsulate_bpf_begin;
    object_.reset(bpf_object__open_mem(begin, static_cast<std::size_t>(penstock_decapsulate_bpf_end - begin), nullptr));
    ASSERT_NE(object_, nullptr);
    ASSERT_EQ(bpf_object__load(object_.get()), 0);
    program_ = bpf_program__fd(bpf_object__find_program_by_name(object_.get(), "decapsulate"));
  }

  // What goes up; empty if nothing does.
  Bytes run(const Bytes& frame) const {
    Bytes out(frame.size() + 256);
    LIBBPF_OPTS(bpf_test_run_opts, options, .data_in = frame.data(), .data_out = out.data(),
                .data_size_in = static_cast<__u32>(frame.size()), .data_size_out = static_cast<__u32>(out.size()));
    EXPECT_EQ(bpf_prog_test_run_opts(program_, &options), 0);
    out.resize(options.retval == XDP_PASS ? options.data_size_out : 0);
    return out;
  }

 private:
  std::unique_ptr<bpf_object, decltype(&bpf_object__close)> object_{nullptr, bpf_object__close};
  int program_ = -1;
};

TEST_F(Decapsulate, inner_packets_go_up_and_all_else_as_it_came) {
  for (const PacketCase& c : cases) EXPECT_EQ(run(c.in), c.out) << c.name;
}

TEST_F(Decapsulate, any_length_of_payload_adds_up) {
  for (std::size_t size = 0; size < 1400; size += 13) {
    const Bytes inner = ipv4(253, Bytes(size, 0xee));
    EXPECT_EQ(run(frame4(ipv4(17, gue_with_checksum(4, inner, addresses4)))), frame4(inner)) << size;
    EXPECT_EQ(run(frame4(ipv4(47, gre_with_checksum(0x0800, inner)))), frame4(inner)) << size;
  }
}

// Longer than Ethernet's header, which the kernel asks of a frame; a cut checksummed packet can't add up.
TEST_F(Decapsulate, truncated_frames_are_never_read_beyond_their_end) {
  for (const PacketCase& c : cases) {
    for (std::size_t size = 15; size < c.in.size(); ++size)
      (void)run(Bytes(c.in.begin(), c.in.begin() + static_cast<std::ptrdiff_t>(size)));
  }
  const Bytes whole = frame4(ipv4(47, gre_with_checksum(0x0800, inner4)));
  EXPECT_EQ(run(Bytes(whole.begin(), whole.end() - 1)), Bytes{});
}

}  // namespace
}  // namespace penstock::serving
