#include "tests/golden/suite.hpp"

#include "tests/golden/mock_subject.hpp"

namespace penstock::golden {
namespace {

using testing::NiceMock;
using testing::Return;

const Bytes incoming = {2, 0, 0, 0, 1, 1, 2, 0, 0, 0, 1, 0xfe, 8, 6};
const Bytes outgoing = {2, 0, 0, 0, 2, 0x0b, 2, 0, 0, 0, 2, 1, 8, 6};

// A director that does one thing with every frame and has no settings.
SubjectMaker director_that(Verdict verdict) {
  return [verdict](const Topology&) -> Result<std::unique_ptr<Subject>> {
    auto subject = std::make_unique<NiceMock<MockSubject>>();
    ON_CALL(*subject, send).WillByDefault(Return(Reaction{verdict, outgoing, Interface::eth1}));
    ON_CALL(subject->director, set_setting).WillByDefault(Return(fail(ErrorCode::unsupported, "no settings")));
    return subject;
  };
}

class SuiteTest : public testing::Test {
 protected:
  void SetUp() override {
    auto topology = load_topology(PENSTOCK_SOURCE_DIR "/tests/golden/topology.json");
    ASSERT_TRUE(topology) << topology.error().message;
    suite_.topology = std::move(*topology);
  }

  Trial attempt(const std::vector<SubjectMaker>& directors) {
    const auto trial = try_recording(suite_, recording_, directors);
    EXPECT_TRUE(trial);
    return *trial;
  }

  Suite suite_;
  Recording recording_{
      .name = "r",
      .description = "",
      .tags = {},
      .steps = {{.at = {}, .action = SendStep{Interface::eth0, incoming, "", {{Interface::eth1, outgoing}}}}}};
};

TEST_F(SuiteTest, one_director_passes_or_fails_with_a_report) {
  EXPECT_EQ(attempt({director_that(Verdict::transmit)}).outcome, Outcome::passed);
  const auto failed = attempt({director_that(Verdict::drop)});
  EXPECT_EQ(failed.outcome, Outcome::failed);
  EXPECT_NE(failed.report.find("mock: none"), std::string::npos) << failed.report;
}

TEST_F(SuiteTest, two_directors_must_each_pass_and_agree) {
  const auto good = director_that(Verdict::transmit);
  const auto bad = director_that(Verdict::drop);
  EXPECT_EQ(attempt({good, good}).outcome, Outcome::passed);
  for (const auto& pair : {std::vector{good, bad}, std::vector{bad, good}}) {
    const auto trial = attempt(pair);
    EXPECT_EQ(trial.outcome, Outcome::failed);
    EXPECT_NE(trial.report.find("do not agree"), std::string::npos) << trial.report;
  }
  const auto both_bad = attempt({bad, bad});
  EXPECT_EQ(both_bad.outcome, Outcome::failed);
  EXPECT_EQ(both_bad.report.find("do not agree"), std::string::npos);
  EXPECT_EQ(both_bad.report, attempt({bad}).report);
}

TEST_F(SuiteTest, what_is_required_may_not_be_unsupported) {
  recording_.steps.insert(recording_.steps.begin(), Step{.at = {}, .action = SettingStep{"net.ipv4.vs.x", "1", 0}});
  auto trial = attempt({director_that(Verdict::transmit)});
  EXPECT_EQ(trial.outcome, Outcome::unsupported);
  demand_support(trial);
  EXPECT_EQ(trial.outcome, Outcome::failed);
  EXPECT_NE(trial.report.find("no settings"), std::string::npos);
}

TEST_F(SuiteTest, a_director_that_cannot_be_made_is_an_error) {
  const SubjectMaker none = [](const Topology&) -> Result<std::unique_ptr<Subject>> {
    return fail(ErrorCode::permission_denied, "not allowed");
  };
  const auto trial = try_recording(suite_, recording_, {none});
  ASSERT_FALSE(trial);
  EXPECT_EQ(trial.error().code, ErrorCode::permission_denied);
}

}  // namespace
}  // namespace penstock::golden
