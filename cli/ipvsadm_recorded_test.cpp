// Replays what ipvsadm 1.31 did with kernel IPVS (Linux 6.1): every command with every option, values at their borders, lines of -R. Each
// case is {args, in, rc, out, err} and leaves its services to the next. The recording is data: nobody edits it.
#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "cli/ipvsadm.hpp"
#include "cli/ipvsadm_fake_director.hpp"

namespace penstock::cli {
namespace {

std::string lines(const nlohmann::json& out) {
  std::string text;
  for (const auto& line : out) text += line.get<std::string>() + "\n";
  return text;
}

TEST(IpvsadmRecorded, says_what_ipvsadm_said) {
  std::ifstream file(PENSTOCK_SOURCE_DIR "/cli/ipvsadm_recorded.json");
  const auto cases = nlohmann::json::parse(file);
  ASSERT_GT(cases.size(), 1000U);
  FakeDirector director;
  const FakeNames names;
  for (const auto& each : cases) {
    std::vector<std::string> args = {each.value("program", "ipvsadm")};
    for (const auto& argument : each.at("args")) args.push_back(argument);
    std::istringstream in(each.value("in", ""));
    std::ostringstream out;
    std::ostringstream err;
    const int exit_code = run_ipvsadm(args, in, out, err, director, names);
    SCOPED_TRACE(each.at("args").dump() + each.value("in", ""));
    EXPECT_EQ(exit_code, each.at("rc").get<int>());
    EXPECT_EQ(err.str(), each.value("err", ""));
    EXPECT_EQ(out.str(), lines(each.value("out", nlohmann::json::array())));
  }
}

}  // namespace
}  // namespace penstock::cli
