// The model against the recordings: steps that IPVS left to the kernel's stack, which then answered, routed or dropped.
#include "tests/golden/stack_model.hpp"

#include <gtest/gtest.h>

#include "tests/golden/compare_frame.hpp"

namespace penstock::golden {
namespace {

constexpr const char* folder = PENSTOCK_SOURCE_DIR "/tests/golden/";

struct Case {
  const char* recording;
  std::vector<std::size_t> steps;  // empty: all frames of the recording
  std::pair<Interface, std::uint32_t> mtu = {Interface::eth0, 1500};
};

const Case cases[] = {
    {"no-service-p", {}},
    {"icmp-echo-v4-p", {}},
    {"icmp-echo-v6-p", {}},
    {"icmp-echo-v6-p2", {}},
    {"tcpstate-nosyn-A-p", {2}},
    {"tcpstate-nosyn-FA-p2", {2}},
    {"tcpstate-nosyn-PA-p", {2}},
    {"tcpstate-nosyn-R-p", {2}},
    {"nonsyn-unknown-sloppy0-p", {4, 5, 6, 7, 8, 9, 11, 13, 14}},
    {"sctp-noinit-p", {2}},
    {"no-destination-v6-p", {4, 8}},
    {"rs-outbound-dr-p", {2, 3, 4, 6, 7, 8}},
    {"icmp-from-rs-dr-tcp-p", {4, 5, 6, 7, 8, 9, 10}},
    {"icmp-from-client-dr-tcp-p", {12, 13, 14, 15}},
    {"martian-p", {2, 3, 4, 5, 6, 7}},
    {"malformed-dr-p", {9, 10, 11, 12, 15, 16, 17}},
    {"local-node-p", {8, 10}},
    {"ipsec-noservice-p", {6}},
    {"ttl-nat-p", {12, 13}},
    {"pmtu-nat-reply-tcp-p", {8, 10}, {Interface::eth0, 1400}},
    {"pmtu-nat-reply-tcp6-p", {7, 8}, {Interface::eth0, 1400}},
};

class StackModelTest : public testing::TestWithParam<Case> {};

TEST_P(StackModelTest, answers_as_recorded) {
  const auto topology = load_topology(std::string(folder) + "topology.json");
  ASSERT_TRUE(topology) << topology.error().message;
  const auto recording = load_recording(std::string(folder) + "recordings/" + GetParam().recording + ".json");
  ASSERT_TRUE(recording) << recording.error().message;
  StackModel stack(*topology);
  stack.set_mtu(GetParam().mtu.first, GetParam().mtu.second);

  std::size_t compared = 0;
  const auto& chosen = GetParam().steps;
  for (std::size_t i = 0; i < recording->steps.size(); ++i) {
    const auto* send = std::get_if<SendStep>(&recording->steps[i].action);
    const bool wanted = chosen.empty() || std::find(chosen.begin(), chosen.end(), i) != chosen.end();
    if (send == nullptr || !wanted) continue;
    ++compared;
    for (const auto& difference : compare_sent(send->frame, send->out, stack.receive(send->in, send->frame).frames)) {
      ADD_FAILURE() << "step " << i << " " << title(recording->steps[i]) << "\n  " << difference.where << ": recorded "
                    << difference.want << ", model " << difference.got;
    }
  }
  EXPECT_GE(compared, std::max<std::size_t>(1, chosen.size()));
}

std::string name_of(const testing::TestParamInfo<Case>& info) {
  std::string name = info.param.recording;
  std::replace(name.begin(), name.end(), '-', '_');
  return name;
}

INSTANTIATE_TEST_SUITE_P(Recordings, StackModelTest, testing::ValuesIn(cases), name_of);

// What no recording shows by itself: fragments that the kernel has to look at.
class StackModelFragments : public testing::Test {
 protected:
  void SetUp() override {
    auto loaded = load_topology(std::string(folder) + "topology.json");
    ASSERT_TRUE(loaded) << loaded.error().message;
    topology_ = std::move(*loaded);
  }

  // From a client on eth0.
  static Bytes framed(const Bytes& packet) {
    Bytes frame = {2, 0, 0, 0, 1, 1, 2, 0, 0, 0, 1, 0xfe, 8, 0};
    append(frame, packet);
    return frame;
  }

  static Packet echo_request(std::size_t size, const char* destination = "10.1.0.100") {
    Bytes echo(size);
    echo[0] = 8;
    return *parse_packet(build_packet({.source = *model::parse_address("198.51.100.1"),
                                       .destination = *model::parse_address(destination),
                                       .protocol = protocol::icmp,
                                       .id = 7,
                                       .transport = echo}));
  }

  Topology topology_;
};

TEST_F(StackModelFragments, a_local_datagram_is_answered_when_its_last_piece_has_come_and_the_answer_is_cut) {
  StackModel stack(topology_);
  const auto pieces = cut(echo_request(2000), 1500);
  ASSERT_EQ(pieces.size(), 2U);
  EXPECT_TRUE(stack.receive(Interface::eth0, framed(pieces[1])).frames.empty());
  const auto answer = stack.receive(Interface::eth0, framed(pieces[0]));
  EXPECT_TRUE(answer.own);
  ASSERT_EQ(answer.frames.size(), 2U);
  EXPECT_EQ(answer.frames[0].frame.size(), 14U + 1500);
  EXPECT_EQ(answer.frames[1].frame.size(), 14U + 20 + 520);
}

TEST_F(StackModelFragments, pieces_are_routed_on_as_they_come_and_cut_where_the_way_is_narrower) {
  StackModel stack(topology_);
  stack.set_mtu(Interface::eth1, 576);
  const auto pieces = cut(echo_request(1000, "10.2.0.11"), 800);
  const auto first = stack.receive(Interface::eth0, framed(pieces[0]));
  EXPECT_FALSE(first.own);
  ASSERT_EQ(first.frames.size(), 2U);
  const auto last = stack.receive(Interface::eth0, framed(pieces[1]));
  ASSERT_EQ(last.frames.size(), 1U);
  std::vector<Packet> arrived;
  for (const auto& frames : {first.frames, last.frames}) {
    for (const Sent& sent : frames) arrived.push_back(*parse_packet(View(sent.frame).subspan(14)));
  }
  Packet whole = echo_request(1000, "10.2.0.11");
  EXPECT_EQ(reassemble(arrived), one_hop_further(whole));
}

TEST_F(StackModelFragments, loopback_addresses_do_not_come_from_a_wire) {
  StackModel stack(topology_);
  EXPECT_TRUE(stack.receive(Interface::eth0, framed(echo_request(8, "127.0.0.1").bytes)).frames.empty());
  EXPECT_EQ(stack.receive(Interface::eth0, framed(echo_request(8).bytes)).frames.size(), 1U);
}

}  // namespace
}  // namespace penstock::golden
