// What a real server behind a tunnel announces as its segment size (agent/bpf/clamp_mss.bpf.cpp), packet by packet. By which MTU
// it is clamped is realserver_test's.
#include <gtest/gtest.h>
#include <linux/pkt_cls.h>
#include <unistd.h>

#include <string>
#include <vector>

#include "agent/bpf/clamp_mss_object.hpp"
#include "tests/serving/loaded_object.hpp"

namespace penstock::serving {
namespace {

constexpr std::uint32_t limit = 1400;

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

constexpr std::uint8_t syn = 0x02;
constexpr std::uint8_t ack = 0x10;

struct Segment {
  Bytes options;
  std::uint8_t flags = syn | ack;
  bool is_ipv6 = false;
  bool is_from_vip = true;
  Bytes ip_options{};  // IPv4
};

Bytes tcp(const Segment& segment, const Bytes& addresses) {
  Bytes bytes = big16(80) + big16(40000) + Bytes{0, 0, 0, 9, 0, 0, 0, 8} +
                Bytes{static_cast<std::uint8_t>((20 + segment.options.size()) / 4 << 4), segment.flags} + big16(64240) +
                Bytes(4) + segment.options;
  const Bytes sum = big16(checksum(addresses + Bytes{0, 6} + big16(bytes.size()) + bytes));
  bytes[16] = sum[0];
  bytes[17] = sum[1];
  return bytes;
}

Bytes frame(const Segment& segment) {
  const Bytes ethernet{2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2};
  const auto last = static_cast<std::uint8_t>(segment.is_from_vip ? 0x40 : 0x41);
  if (segment.is_ipv6) {
    Bytes addresses(32, 0x20);
    addresses[15] = last;
    const Bytes payload = tcp(segment, addresses);
    return ethernet + big16(0x86dd) + Bytes{0x60, 0, 0, 0} + big16(payload.size()) + Bytes{6, 64} + addresses + payload;
  }
  const Bytes addresses{192, 0, 2, last, 198, 51, 100, 7};
  const Bytes payload = tcp(segment, addresses);
  const std::size_t header = 20 + segment.ip_options.size();
  return ethernet + big16(0x0800) + Bytes{static_cast<std::uint8_t>(0x40 + header / 4), 0} +
         big16(header + payload.size()) + Bytes{0, 1, 0x40, 0, 64, 6, 0, 0} + addresses + segment.ip_options + payload;
}

Bytes mss(std::size_t value) { return Bytes{2, 4} + big16(value); }
const Bytes nop{1};
const Bytes window_scale{3, 3, 7};
const Bytes sack_permitted{4, 2};

struct ClampCase {
  std::string name;
  Segment in;
  Bytes options_out;  // empty: as in `in`
};

const std::vector<ClampCase> cases{
    {"IPv4", {.options = mss(1460)}, mss(limit)},
    {"IPv6", {.options = mss(1440), .is_ipv6 = true}, mss(limit)},
    {"one more than fits", {.options = mss(limit + 1)}, mss(limit)},
    {"just what fits", {.options = mss(limit)}, {}},
    {"less than fits is never raised", {.options = mss(536)}, {}},
    {"the largest", {.options = mss(65535)}, mss(limit)},
    {"before other options", {.options = mss(1460) + nop + window_scale}, mss(limit) + nop + window_scale},
    {"behind others", {.options = sack_permitted + nop + nop + mss(1460)}, sack_permitted + nop + nop + mss(limit)},
    {"at an odd byte", {.options = window_scale + mss(1460) + nop}, window_scale + mss(limit) + nop},
    {"at an odd byte of IPv6", {.options = nop + mss(1460) + Bytes(3), .is_ipv6 = true}, nop + mss(limit) + Bytes(3)},
    {"behind forty options", {.options = Bytes(36, 1) + mss(1460)}, Bytes(36, 1) + mss(limit)},
    {"IPv4 with options", {.options = mss(1460), .ip_options = Bytes(8, 1)}, mss(limit)},
    {"none", {.options = {}}, {}},
    {"behind the options' end", {.options = Bytes{0, 0, 0, 0} + mss(1460)}, {}},
    {"of a wrong length", {.options = Bytes{2, 3} + big16(1460)}, {}},
    {"cut off by the header's end", {.options = nop + nop + Bytes{2, 4}}, {}},
    {"behind an option of no length", {.options = Bytes{5, 0, 0, 0} + mss(1460)}, {}},
    {"a client's SYN", {.options = mss(1460), .flags = syn}, {}},
    {"no SYN", {.options = mss(1460), .flags = ack}, {}},
    {"not from a VIP", {.options = mss(1460), .is_from_vip = false}, {}},
    {"not from a VIP of IPv6", {.options = mss(1460), .is_ipv6 = true, .is_from_vip = false}, {}},
};

class ClampMss : public testing::Test {
 protected:
  void SetUp() override {
    if (geteuid() != 0) GTEST_SKIP() << "SKIPPED: loading a BPF program needs root";
    object_.set(agent::ClampConfig{.overhead = 0, .mss = limit});
    object_.load();
    for (const char* vip : {"192.0.2.64", "2020:2020:2020:2020:2020:2020:2020:2040"}) object_.add("vips", vip);
  }

  LoadedObject object_{penstock_clamp_mss_bpf_begin, penstock_clamp_mss_bpf_end};
};

TEST_F(ClampMss, lowers_what_would_not_fit_and_keeps_the_checksum_right) {
  for (const ClampCase& c : cases) {
    Segment out = c.in;
    if (!c.options_out.empty()) out.options = c.options_out;
    const RunOutcome outcome = object_.run("pen_clamp_mss", frame(c.in));
    EXPECT_EQ(outcome.verdict, static_cast<std::uint32_t>(TC_ACT_UNSPEC)) << c.name;
    EXPECT_EQ(outcome.frame, frame(out)) << c.name;
  }
}

// The kernel tries programs on whole IP headers only.
TEST_F(ClampMss, truncated_frames_are_never_read_beyond_their_end) {
  for (const ClampCase& c : cases) {
    const Bytes whole = frame(c.in);
    for (std::size_t size = 54; size < whole.size(); ++size)
      (void)object_.run("pen_clamp_mss", Bytes(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size)));
  }
}

}  // namespace
}  // namespace penstock::serving
