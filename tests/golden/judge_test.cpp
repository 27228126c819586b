#include "tests/golden/judge.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "tests/golden/packet.hpp"
#include "tests/golden/report.hpp"

namespace penstock::golden {
namespace {

Bytes fragment(std::uint16_t id, std::uint16_t fragmenting, std::uint8_t ttl = 64) {
  Bytes bytes = build_packet({.source = *model::parse_address("198.51.100.1"),
                              .destination = *model::parse_address("10.1.0.100"),
                              .protocol = protocol::tcp,
                              .id = id,
                              .transport = Bytes(24)});
  write16(bytes, 6, fragmenting);
  bytes[8] = ttl;
  write16(bytes, 10, 0);
  write16(bytes, 10, internet_checksum(View(bytes).first(20)));
  Bytes frame = {2, 0, 0, 0, 2, 0x0b, 2, 0, 0, 0, 2, 1, 8, 0};
  append(frame, bytes);
  return frame;
}

constexpr std::uint16_t first = 0x2000;  // more fragments, offset 0
constexpr std::uint16_t last = 3;        // offset 24

Step send(const Bytes& frame, const std::vector<Bytes>& out) {
  SendStep step{.in = Interface::eth0, .frame = frame, .note = "", .out = {}};
  for (const Bytes& one : out) step.out.push_back({Interface::eth1, one});
  return {.at = {}, .action = step};
}

StepResult sent(const std::vector<Bytes>& out) {
  StepResult result;
  for (const Bytes& one : out) result.sent.push_back({Interface::eth1, one});
  return result;
}

Step command(const std::string& output, int status = 0) {
  return {
      .at = {},
      .action = CommandStep{.command = "ipvsadm -Ln", .input = "", .status = status, .output = output, .error = ""}};
}

Recording recording_of(std::vector<Step> steps, std::vector<std::string> tags = {}) {
  return {.name = "some-recording", .description = "", .tags = std::move(tags), .steps = std::move(steps)};
}

Run run_of(std::vector<StepResult> results) { return {.results = std::move(results), .unsupported = {}, .broken = {}}; }

TEST(Judge, passes_what_is_equal_and_fails_what_differs) {
  const auto recording = recording_of({command("a\n"), command("b\n", 1)});
  const StepResult a{.output = "a\n"};
  EXPECT_EQ(judge(recording, run_of({a, {.status = 1, .output = "b\n"}}), {}).outcome, Outcome::passed);
  const auto wrong_status = judge(recording, run_of({a, {.status = 0, .output = "b\n"}}), {});
  EXPECT_EQ(wrong_status.outcome, Outcome::failed);
  EXPECT_EQ(wrong_status.steps.at(1), (Differences{{"exit status", "1", "0"}}));
  EXPECT_EQ(judge(recording, run_of({a, {.status = 1, .output = "c\n"}}), {}).outcome, Outcome::failed);
  EXPECT_EQ(judge(recording, run_of({a, {.status = 1, .output = "b\n", .error = "e\n"}}), {}).outcome, Outcome::failed);
}

TEST(Judge, unsupported_is_no_excuse_for_a_difference_before_it) {
  const auto recording = recording_of({command("a\n"), command("b\n")});
  auto run = run_of({{.output = "a\n"}});
  run.unsupported = Unsupported{1, "forwarding method nat"};
  EXPECT_EQ(judge(recording, run, {}).outcome, Outcome::unsupported);
  run.results[0].output = "x\n";
  EXPECT_EQ(judge(recording, run, {}).outcome, Outcome::failed);
}

TEST(Judge, a_subject_that_breaks_has_failed) {
  auto run = run_of({});
  run.broken = Error{ErrorCode::io, "running the program on a frame"};
  const auto judgement = judge(recording_of({command("")}), run, {});
  EXPECT_EQ(judgement.outcome, Outcome::failed);
  EXPECT_NE(judgement.reason.find("running the program"), std::string::npos);
}

TEST(Judge, fragments_are_compared_as_sets_of_their_datagram) {
  const auto recording = recording_of(
      {send(fragment(5, first), {}), send(fragment(5, last), {fragment(5, first), fragment(5, last)})}, {"frag"});
  const auto as_they_come = run_of({sent({fragment(5, first)}), sent({fragment(5, last)})});
  EXPECT_EQ(judge(recording, as_they_come, {}).outcome, Outcome::passed);
  EXPECT_EQ(judge(recording, run_of({sent({}), sent({fragment(5, last)})}), {}).outcome, Outcome::failed);
  EXPECT_EQ(judge(recording, run_of({sent({fragment(5, first)}), sent({fragment(5, last, 63)})}), {}).outcome,
            Outcome::failed);
  const auto by_steps = recording_of(recording.steps);  // without the tag
  EXPECT_EQ(judge(by_steps, as_they_come, {}).outcome, Outcome::failed);
}

TEST(Judge, a_fragment_that_came_twice_may_leave_twice_and_no_other) {
  const std::vector<Bytes> out = {fragment(5, first), fragment(5, last)};
  const auto twice = recording_of(
      {send(fragment(5, first), {}), send(fragment(5, first), {}), send(fragment(5, last), out)}, {"frag"});
  const auto run = run_of({sent({fragment(5, first)}), sent({fragment(5, first)}), sent({fragment(5, last)})});
  EXPECT_EQ(judge(twice, run, {}).outcome, Outcome::passed);
  const auto once = recording_of({send(fragment(5, first), {}), send(fragment(5, last), out)}, {"frag"});
  EXPECT_EQ(
      judge(once, run_of({sent({fragment(5, first), fragment(5, first)}), sent({fragment(5, last)})}), {}).outcome,
      Outcome::failed);
}

TEST(Judge, what_is_sent_of_an_incomplete_datagram_is_free) {
  const auto recording = recording_of({send(fragment(5, last), {})}, {"frag"});
  EXPECT_EQ(judge(recording, run_of({sent({fragment(5, last)})}), {}).outcome, Outcome::passed);
}

TEST(Judge, floods_are_counted_by_interface) {
  const Step flood{.at = {}, .action = FloodStep{Interface::eth0, {}, 9, {{Interface::eth1, 9}}}};
  EXPECT_EQ(judge(recording_of({flood}), run_of({{.counts = {{Interface::eth1, 9}}}}), {}).outcome, Outcome::passed);
  EXPECT_EQ(judge(recording_of({flood}), run_of({{.counts = {{Interface::eth1, 8}}}}), {}).outcome, Outcome::failed);
}

TEST(Judge, a_known_deviation_is_forgiven_where_it_is_known_and_nowhere_else) {
  const auto recording = recording_of({command("a\n")});
  const auto run = run_of({{.output = "x\n"}});
  const auto forgiven = judge(recording, run, {{"some-*", "stdout*", "because"}});
  EXPECT_EQ(forgiven.outcome, Outcome::passed);
  EXPECT_EQ(forgiven.deviations, std::vector<std::string>{"step 0: because"});
  EXPECT_EQ(judge(recording, run, {{"other-*", "stdout*", "because"}}).outcome, Outcome::failed);
  EXPECT_EQ(judge(recording, run, {{"some-*", "stderr*", "because"}}).outcome, Outcome::failed);
}

TEST(Judge, a_known_deviation_may_be_of_steps_with_a_note) {
  Step noted = send(fragment(5, 0), {});
  std::get<SendStep>(noted.action).note = "non-SYN again";
  const auto recording = recording_of({noted, send(fragment(6, 0), {})});
  const std::vector<Deviation> known = {{"some-*", "eth1[[]0]@non-SYN*", "because"}};
  EXPECT_EQ(judge(recording, run_of({sent({fragment(5, 0)}), {}}), known).outcome, Outcome::passed);
  EXPECT_EQ(judge(recording, run_of({{}, sent({fragment(6, 0)})}), known).outcome, Outcome::failed);
}

TEST(Agreement, compares_the_two_runs_not_the_recording) {
  const auto recording = recording_of({command("a\n")});
  const auto x = run_of({{.output = "x\n"}});
  EXPECT_EQ(judge_agreement(recording, x, x).outcome, Outcome::passed);
  EXPECT_EQ(judge_agreement(recording, x, run_of({{.output = "y\n"}})).outcome, Outcome::failed);
  EXPECT_EQ(judge_agreement(recording, x, run_of({})).outcome, Outcome::failed);
}

TEST(Deviations, the_files_lines_have_reasons) {
  const auto known = load_deviations(PENSTOCK_SOURCE_DIR "/tests/golden/known_deviations.txt");
  ASSERT_TRUE(known) << known.error().message;
  EXPECT_FALSE(known->empty());
  const auto path = std::filesystem::path(testing::TempDir()) / "deviations_without_reason.txt";
  std::ofstream(path) << "# comment\nrecording where\n";
  EXPECT_FALSE(load_deviations(path));
  std::filesystem::remove(path);
}

TEST(Report, marks_the_field_that_differs_and_shows_the_rest) {
  const auto recording = recording_of({send(fragment(5, 0), {fragment(5, 0, 63)})});
  const auto run = run_of({sent({fragment(5, 0, 62)})});
  const auto judgement = judge(recording, run, {});
  const std::string text =
      print_differences(recording, judgement, {recorded(recording.steps[0])}, run, "recorded", "native");
  EXPECT_NE(text.find("step 0: send eth0"), std::string::npos) << text;
  EXPECT_NE(text.find("! ip.ttl                   63                                       62"), std::string::npos)
      << text;
  EXPECT_NE(text.find("  ip.src                   198.51.100.1"), std::string::npos) << text;
}

TEST(Report, a_text_that_differs_is_a_small_diff) {
  const auto recording = recording_of({command("a\nb\n")});
  const auto run = run_of({{.output = "a\nc\n"}});
  const std::string text = print_differences(recording, judge(recording, run, {}), {recorded(recording.steps[0])}, run,
                                             "recorded", "native");
  EXPECT_EQ(text, "  step 0: ipvsadm -Ln\n    stdout line 2\n      - b\n      + c\n");
}

TEST(Report, the_sum_stands_alone_in_the_last_line) {
  const std::string table = print_table({{"a", {"dr", "tcp"}, Outcome::passed},
                                         {"b", {"dr"}, Outcome::failed},
                                         {"c", {"nat"}, Outcome::unsupported, "step 3: no such thing"},
                                         {"d", {"nat"}, Outcome::unsupported, "step 12: no such thing"}});
  EXPECT_TRUE(table.ends_with("\n1 passed, 1 failed, 2 skipped\n")) << table;
  EXPECT_NE(table.find("dr                          1        1            0\n"), std::string::npos) << table;
  EXPECT_NE(table.find("\nskipped for \"no such thing\": c d\n"), std::string::npos) << table;
}

}  // namespace
}  // namespace penstock::golden
