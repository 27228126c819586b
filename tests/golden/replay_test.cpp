// The steps, with a director that only answers what it is told to.
#include "tests/golden/replay.hpp"

#include <gmock/gmock.h>

#include "tests/golden/mock_subject.hpp"
#include "tests/golden/packet.hpp"

namespace penstock::golden {
namespace {

using std::chrono::milliseconds;
using testing::_;
using testing::NiceMock;
using testing::Return;

class ReplayTest : public testing::Test {
 protected:
  void SetUp() override {
    auto topology = load_topology(PENSTOCK_SOURCE_DIR "/tests/golden/topology.json");
    ASSERT_TRUE(topology) << topology.error().message;
    topology_ = std::move(*topology);
  }

  golden::Run run(std::vector<Step> steps) {
    return replay({.name = "r", .description = "", .tags = {}, .steps = std::move(steps)}, subject_, topology_);
  }

  Topology topology_;
  NiceMock<MockSubject> subject_;
};

template <typename Action>
Step step(Action action, milliseconds at = {}) {
  return {.at = at, .action = std::move(action)};
}

CommandStep command(const std::string& line) {
  return {.command = line, .input = "", .status = 0, .output = "", .error = ""};
}

// Ethernet alone: from the director's eth1.
Bytes frame_from_eth1() { return {2, 0, 0, 0, 2, 0x0b, 2, 0, 0, 0, 2, 1, 8, 0}; }

TEST_F(ReplayTest, time_goes_on_to_each_step_and_never_back) {
  testing::InSequence order;
  EXPECT_CALL(subject_, advance(milliseconds(250)));
  EXPECT_CALL(subject_, advance(milliseconds(2000)));
  EXPECT_CALL(subject_, advance(milliseconds(10)));
  const auto done = run({step(SleepStep{milliseconds(2000), {}}, milliseconds(250)),
                         step(SleepStep{milliseconds(0), {}}, milliseconds(2260)),
                         step(SleepStep{milliseconds(0), {}}, milliseconds(2259))});
  EXPECT_EQ(done.results.size(), 3U);
}

TEST_F(ReplayTest, a_frame_leaves_by_the_interface_of_its_source_where_the_subject_does_not_know) {
  EXPECT_CALL(subject_, send(Interface::eth0, _)).WillOnce(Return(Reaction{Verdict::transmit, frame_from_eth1(), {}}));
  const auto done = run({step(SendStep{Interface::eth0, frame_from_eth1(), "", {}})});
  ASSERT_EQ(done.results.size(), 1U);
  EXPECT_EQ(done.results[0].sent, (std::vector<Sent>{{Interface::eth1, frame_from_eth1()}}));
}

TEST_F(ReplayTest, a_frame_of_nobody_breaks_the_run) {
  Bytes stranger = frame_from_eth1();
  stranger[11] = 0x77;
  EXPECT_CALL(subject_, send(_, _)).WillOnce(Return(Reaction{Verdict::transmit, stranger, {}}));
  const auto done = run({step(SendStep{Interface::eth0, stranger, "", {}})});
  ASSERT_TRUE(done.broken);
  EXPECT_EQ(done.broken->code, ErrorCode::protocol);
}

TEST_F(ReplayTest, what_is_dropped_is_gone_and_what_is_passed_the_kernel_answers) {
  Bytes echo(8);
  echo[0] = 8;
  Bytes ping = {2, 0, 0, 0, 1, 1, 2, 0, 0, 0, 1, 0xfe, 8, 0};
  append(ping, build_packet({.source = *model::parse_address("198.51.100.1"),
                             .destination = *model::parse_address("10.1.0.100"),
                             .protocol = protocol::icmp,
                             .transport = echo}));
  EXPECT_CALL(subject_, send(_, _))
      .WillOnce(Return(Reaction{Verdict::drop, {}, {}}))
      .WillOnce(Return(Reaction{Verdict::pass, ping, {}}));
  const SendStep send{Interface::eth0, ping, "", {}};
  const auto done = run({step(send), step(send)});
  ASSERT_EQ(done.results.size(), 2U);
  EXPECT_EQ(done.results[0].sent.size(), 0U);
  EXPECT_EQ(done.results[1].sent.size(), 1U);
}

TEST_F(ReplayTest, unsupported_is_what_the_director_says_by_code) {
  EXPECT_CALL(subject_.director, add_service(_)).WillOnce(Return(fail(ErrorCode::unsupported, "no such thing")));
  const auto done = run({step(command("ipvsadm -A -t 10.1.0.100:80 -s rr")), step(command("ipvsadm -C"))});
  ASSERT_TRUE(done.unsupported);
  EXPECT_EQ(done.unsupported->step, 0U);
  EXPECT_EQ(done.unsupported->reason, "no such thing");
  EXPECT_TRUE(done.results.empty());
}

TEST_F(ReplayTest, any_other_refusal_is_the_commands_result) {
  EXPECT_CALL(subject_.director, add_service(_)).WillOnce(Return(fail(ErrorCode::already_exists, "x", EEXIST)));
  const auto done = run({step(command("ipvsadm -A -t 10.1.0.100:80 -s rr"))});
  ASSERT_EQ(done.results.size(), 1U);
  EXPECT_EQ(done.results[0].status, 255);
  EXPECT_EQ(done.results[0].error, "Service already exists\n");
}

TEST_F(ReplayTest, an_unknown_word_module_route_or_file_is_unsupported) {
  for (const Step& wanted :
       {step(command("ipvsadm -Ln; reboot")), step(GuestStep{"modprobe ip_vs_pe_sip"}),
        step(GuestStep{"ip route add 192.0.2.0/24 via 10.2.0.254"}), step(ReadStep{"/proc/net/ip_vs_conn", ""}),
        step(SettingStep{"net.ipv4.ip_forward", "0", 0}), step(command("ipvsadm --stop-daemon master"))}) {
    EXPECT_TRUE(run({wanted}).unsupported) << title(wanted);
  }
}

TEST_F(ReplayTest, an_mtu_reaches_the_subject) {
  EXPECT_CALL(subject_, set_mtu(Interface::eth1, 1400U));
  EXPECT_CALL(subject_, set_mtu(Interface::eth0, 9000U));
  const auto done =
      run({step(GuestStep{"ip link set eth1 mtu 1400"}), step(GuestStep{"ip link set dev eth0 mtu 9000"})});
  EXPECT_EQ(done.results.size(), 2U);
}

TEST_F(ReplayTest, a_setting_is_named_without_its_prefix_and_a_refusal_is_a_status) {
  EXPECT_CALL(subject_.director, set_setting("sloppy_tcp", "1"));
  EXPECT_CALL(subject_.director, set_setting("sloppy_tcp", "x"))
      .WillOnce(Return(fail(ErrorCode::invalid_argument, "x")));
  const auto done =
      run({step(SettingStep{"net.ipv4.vs.sloppy_tcp", "1", 0}), step(SettingStep{"net.ipv4.vs.sloppy_tcp", "x", 1})});
  ASSERT_EQ(done.results.size(), 2U);
  EXPECT_EQ(done.results[0].status, 0);
  EXPECT_EQ(done.results[1].status, 1);
}

TEST_F(ReplayTest, pieces_and_frames_that_waited_leave_after_the_frame_itself) {
  Bytes second = frame_from_eth1();
  second.push_back(2);
  Bytes third = frame_from_eth1();
  third.push_back(3);
  EXPECT_CALL(subject_, send(_, _))
      .WillOnce(Return(Reaction{Verdict::transmit, frame_from_eth1(), {}, {{second, {}}, {third, Interface::eth0}}}))
      .WillOnce(Return(Reaction{Verdict::drop, {}, {}, {{second, {}}}}));
  const SendStep send{Interface::eth0, frame_from_eth1(), "", {}};
  const auto done = run({step(send), step(send)});
  ASSERT_EQ(done.results.size(), 2U);
  EXPECT_EQ(
      done.results[0].sent,
      (std::vector<Sent>{{Interface::eth1, frame_from_eth1()}, {Interface::eth1, second}, {Interface::eth0, third}}));
  EXPECT_EQ(done.results[1].sent, (std::vector<Sent>{{Interface::eth1, second}}));
}

class SwallowsWhatTheKernelSends : public MockSubject {
 public:
  Result<Reaction> leave(Interface, const Bytes& frame) override {
    left.push_back(frame);
    return Reaction{};
  }
  std::vector<Bytes> left;
};

TEST_F(ReplayTest, the_kernels_own_answer_meets_the_director_once_more) {
  Bytes echo(8);
  echo[0] = 8;
  Bytes ping = {2, 0, 0, 0, 1, 1, 2, 0, 0, 0, 1, 0xfe, 8, 0};
  append(ping, build_packet({.source = *model::parse_address("198.51.100.1"),
                             .destination = *model::parse_address("10.1.0.100"),
                             .protocol = protocol::icmp,
                             .transport = echo}));
  NiceMock<SwallowsWhatTheKernelSends> subject;
  EXPECT_CALL(subject, send(_, _)).WillOnce(Return(Reaction{Verdict::pass, ping, {}}));
  const auto done =
      replay({.name = "r", .description = "", .tags = {}, .steps = {step(SendStep{Interface::eth0, ping, "", {}})}},
             subject, topology_);
  ASSERT_EQ(done.results.size(), 1U);
  EXPECT_TRUE(done.results[0].sent.empty());
  EXPECT_EQ(subject.left.size(), 1U);
}

TEST_F(ReplayTest, firewall_marks_become_the_directors_rules_in_their_order) {
  const auto rule = [](std::uint32_t mark, std::uint16_t port) {
    return model::MarkRule{.protocol = model::Protocol::tcp, .destination_ports = {{port, port}}, .mark = mark};
  };
  std::vector<model::MarkRule> present;
  ON_CALL(subject_.director, mark_rules).WillByDefault([&] { return present; });
  ON_CALL(subject_.director, add_mark_rule).WillByDefault([&](const auto& added) {
    present.push_back(added);
    return Result<void>();
  });
  ON_CALL(subject_.director, delete_mark_rule).WillByDefault([&](const auto& deleted) {
    std::erase(present, deleted);
    return Result<void>();
  });
  const auto line = [](const std::string& what) { return step(GuestStep{"iptables -t mangle " + what}); };
  EXPECT_EQ(run({line("-A PREROUTING -p tcp --dport 80 -j MARK --set-mark 1"),
                 line("-I PREROUTING -p tcp --dport 81 -j MARK --set-mark 2"),
                 line("-A PREROUTING -p tcp --dport 81 -j MARK --set-mark 2")})
                .results.size(),
            3U);
  EXPECT_EQ(present, (std::vector{rule(1, 80), rule(2, 81)}));
}

TEST_F(ReplayTest, settings_are_files_too) {
  ON_CALL(subject_.director, settings)
      .WillByDefault(Return(std::vector<api::Setting>{{"drop_packet", "0"}, {"sync_threshold", "3\t50"}}));
  EXPECT_CALL(subject_.director, set_setting("drop_packet", "4\n"))
      .WillOnce(Return(fail(ErrorCode::invalid_argument, "x")));
  const auto done = run({step(
      command("cd /proc/sys/net/ipv4/vs; echo 4 > drop_packet; echo rc=$?; for f in *; do echo $f: $(cat $f); done"))});
  ASSERT_EQ(done.results.size(), 1U);
  EXPECT_EQ(done.results[0].output, "rc=1\ndrop_packet: 0\nsync_threshold: 3 50\n");
  EXPECT_EQ(done.results[0].error, "/bin/sh: 1: echo: echo: I/O error\n");
}

TEST_F(ReplayTest, a_flood_is_counted) {
  EXPECT_CALL(subject_, send(_, _)).Times(3).WillRepeatedly(Return(Reaction{Verdict::transmit, frame_from_eth1(), {}}));
  const auto done = run({step(FloodStep{Interface::eth0, frame_from_eth1(), 3, {}})});
  ASSERT_EQ(done.results.size(), 1U);
  EXPECT_EQ(done.results[0].counts.at(Interface::eth1), 3U);
  EXPECT_EQ(done.results[0].counts.at(Interface::eth0), 0U);
}

}  // namespace
}  // namespace penstock::golden
