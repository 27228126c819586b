// The real doctor on real hosts: it finds nothing where nothing is wrong, finds each planted fault, and finds nothing again once the
// fault is mended.
#include <gtest/gtest.h>
#include <unistd.h>

#include <chrono>
#include <nlohmann/json.hpp>
#include <set>

#include "doctor/catalogue.hpp"
#include "lab/wait_until.hpp"
#include "tests/doctor/faults.hpp"
#include "tests/serving/cluster.hpp"

namespace penstock::doctor {
namespace {

using namespace std::chrono_literals;

constexpr auto calm_time_max = 10s;  // until neighbours are known and daemons have begun

class Doctor : public testing::TestWithParam<Ward> {
 protected:
  void SetUp() override {
    if (geteuid() != 0) GTEST_SKIP() << "SKIPPED: a lab needs root";
    const auto up = cluster_.up(GetParam().topology);
    ASSERT_TRUE(up) << up.error().message;
    for (const Line& line : GetParam().prepare) must(line);
  }

  void TearDown() override {
    if (HasFailure()) GTEST_LOG_(INFO) << cluster_.log_of("director");
  }

  void must(const Line& line) const {
    const lab::Outcome outcome = cluster_.on(line.host, line.shell);
    EXPECT_EQ(outcome.exit_status, 0) << line.host << "$ " << line.shell << "\n" << outcome.output;
  }

  lab::Outcome look(const std::string& host, const std::string& arguments) const {
    return cluster_.on(host, "penstock doctor " + arguments);
  }

  // Nothing is found, now or soon.
  void expect_health(const std::string& host, const std::string& arguments) const {
    lab::Outcome outcome;
    const bool healthy = lab::wait_until(std::chrono::steady_clock::now() + calm_time_max, [&] {
      outcome = look(host, arguments);
      return outcome.exit_status == 0;
    });
    EXPECT_TRUE(healthy) << host << "$ penstock doctor " << arguments << "\n" << outcome.output;
    if (healthy) {
      EXPECT_TRUE(outcome.output.starts_with("Nothing found (")) << outcome.output;
    }
  }

  void expect_finding(const PlantedFault& fault) const {
    const lab::Outcome outcome = look(fault.host, fault.arguments + " --json");
    EXPECT_EQ(outcome.exit_status, 1) << outcome.output;
    const auto report = nlohmann::json::parse(outcome.output, nullptr, false);
    ASSERT_TRUE(report.is_object()) << outcome.output;
    for (const auto& finding : report["findings"]) {
      if (finding["id"] == fault.id && finding["what"].get<std::string>().find(fault.says) != std::string::npos) return;
    }
    FAIL() << "no " << fault.id << " that says \"" << fault.says << "\" in\n"
           << look(fault.host, fault.arguments).output;
  }

  const serving::Place place_{.programs = PENSTOCK_BIN_DIR, .topologies = PENSTOCK_SOURCE_DIR};
  serving::Cluster cluster_{place_, "doctor-" + std::to_string(getpid())};
};

TEST_P(Doctor, finds_nothing_where_nothing_is_wrong) {
  for (const Line& line : GetParam().looks) expect_health(line.host, line.shell);
}

TEST_P(Doctor, finds_each_planted_fault_until_it_is_mended) {
  for (const PlantedFault& fault : GetParam().faults) {
    SCOPED_TRACE(fault.name);
    for (const Line& line : fault.plant) must(line);
    expect_finding(fault);
    for (const Line& line : fault.mend) must(line);
    // A fault that is in the arguments is mended by others.
    if (!fault.mend.empty()) expect_health(fault.host, fault.arguments);
    if (HasFailure()) return;  // what is left of it would spoil the next
  }
}

INSTANTIATE_TEST_SUITE_P(Ward, Doctor, testing::ValuesIn(wards()),
                         [](const auto& tested) { return tested.param.name; });

}  // namespace
}  // namespace penstock::doctor
