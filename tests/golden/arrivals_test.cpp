// Recordings of fragments into a tunnel, and a director that wraps each fragment for itself.
#include "tests/golden/arrivals.hpp"

#include <gtest/gtest.h>

#include "tests/golden/fragments.hpp"
#include "tests/golden/frame.hpp"

namespace penstock::golden {
namespace {

Recording recorded(const std::string& name) {
  return load_recording(PENSTOCK_SOURCE_DIR "/tests/golden/recordings/" + name + ".json").value();
}

Packet packet_of(const Bytes& frame) { return parse_packet(View(frame).subspan(ethernet_header)).value(); }

// IP in IP, outer TTL as inner (RFC 2003, IPVS).
Sent wrap(const Bytes& fragment, const char* server, std::uint8_t mac) {
  const Bytes inner = one_hop_further(packet_of(fragment));
  Bytes outer = {0x45, 0, 0, 0, 0x12, 0x34, 0, 0, inner[8], 4, 0, 0};
  append(outer, address_bytes(*model::parse_address("10.2.0.1")));
  append(outer, address_bytes(*model::parse_address(server)));
  write16(outer, 2, static_cast<std::uint16_t>(20 + inner.size()));
  fill_header_checksum(outer, 20);
  Bytes frame = {2, 0, 0, 0, 2, mac, 2, 0, 0, 0, 2, 1, 8, 0};
  append(frame, outer);
  append(frame, inner);
  return {Interface::eth1, frame};
}

class ArrivalsTest : public testing::Test {
 protected:
  void SetUp() override {
    for (std::size_t i = 3; i <= 5; ++i) {
      const auto& send = std::get<SendStep>(recording_.steps[i].action);
      fragments_.push_back(send.frame);
      want_.insert(want_.end(), send.out.begin(), send.out.end());
    }
  }

  Recording recording_ = recorded("frag-tun-udp-p");
  std::vector<Bytes> fragments_;
  std::vector<Sent> want_;
};

TEST_F(ArrivalsTest, fragments_wrapped_one_by_one_are_what_ipvs_wrapped_as_a_whole) {
  std::vector<Sent> got;
  for (const Bytes& fragment : fragments_) got.push_back(wrap(fragment, "10.2.0.12", 0x0c));
  EXPECT_EQ(arrivals(want_).size(), 1U);
  EXPECT_EQ(arrivals(got), arrivals(want_));
  std::reverse(got.begin(), got.end());
  EXPECT_EQ(arrivals(got), arrivals(want_));
}

TEST_F(ArrivalsTest, an_outer_packet_may_be_cut) {
  std::vector<Sent> got;
  for (const Bytes& fragment : fragments_) {
    const Sent whole = wrap(fragment, "10.2.0.12", 0x0c);
    for (const Bytes& piece : cut(packet_of(whole.frame), 800)) {
      Bytes frame(whole.frame.begin(), whole.frame.begin() + ethernet_header);
      append(frame, piece);
      got.push_back({Interface::eth1, frame});
    }
  }
  EXPECT_EQ(got.size(), 5U);
  // Each outer packet has its own identification on the wire.
  std::uint16_t id = 1;
  for (Sent& sent : got) {
    write16(sent.frame, 18, id);
    Bytes packet(sent.frame.begin() + ethernet_header, sent.frame.end());
    fill_header_checksum(packet, 20);
    std::copy(packet.begin(), packet.end(), sent.frame.begin() + ethernet_header);
    if (!packet_of(sent.frame).more_fragments) ++id;
  }
  EXPECT_EQ(arrivals(got), arrivals(want_));
}

TEST_F(ArrivalsTest, a_missing_fragment_another_server_or_neighbour_or_byte_is_a_difference) {
  const auto all = [this] {
    std::vector<Sent> got;
    for (const Bytes& fragment : fragments_) got.push_back(wrap(fragment, "10.2.0.12", 0x0c));
    return got;
  };
  auto missing = all();
  missing.pop_back();
  EXPECT_NE(arrivals(missing), arrivals(want_));
  auto other_server = all();
  other_server[1] = wrap(fragments_[1], "10.2.0.11", 0x0c);
  EXPECT_NE(arrivals(other_server), arrivals(want_));
  auto other_neighbour = all();
  other_neighbour[2] = wrap(fragments_[2], "10.2.0.12", 0x0b);
  EXPECT_NE(arrivals(other_neighbour), arrivals(want_));
  auto other_byte = all();
  other_byte[1].frame.back() ^= 1;
  EXPECT_NE(arrivals(other_byte), arrivals(want_));
  auto not_wrapped = all();
  not_wrapped[0].frame = fragments_[0];
  EXPECT_NE(arrivals(not_wrapped), arrivals(want_));
}

// The recorded frames themselves, whatever tunnel and family.
TEST(Arrivals, of_recorded_tunnels_every_datagram_is_found) {
  for (const char* name :
       {"frag-tun-udp-p", "frag-tun-udp-p2", "frag-tun-udp6-p", "frag-tun-udp6-p2", "tungre-tcp-basic-p",
        "tungrecsum-tcp-basic-p", "tungue-tcp-basic-p", "tunguecsum-udp6-basic-p"}) {
    std::size_t frames = 0;
    for (const Step& step : recorded(name).steps) {
      const auto* send = std::get_if<SendStep>(&step.action);
      if (send == nullptr || send->out.empty() || send->out.front().interface != Interface::eth1) continue;
      const auto lines = arrivals(send->out);
      ++frames;
      ASSERT_EQ(lines.size(), 1U) << name;
      EXPECT_NE(lines.front().find("crc32c"), std::string::npos) << name << " " << lines.front();
    }
    EXPECT_GT(frames, 0U) << name;
  }
}

}  // namespace
}  // namespace penstock::golden
