#include "agent/options.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sstream>

namespace penstock::agent {
namespace {

using model::Method;
using testing::ElementsAre;
using testing::HasSubstr;

std::vector<std::string> words_of(const std::string& line) {
  std::istringstream stream(line);
  return {std::istream_iterator<std::string>(stream), {}};
}

Options parsed(const std::string& line) {
  auto options = parse_options(words_of(line));
  EXPECT_TRUE(options) << line << ": " << options.error().message;
  return options ? *options : Options{};
}

std::string complaint_about(const std::string& line) {
  const auto options = parse_options(words_of(line));
  EXPECT_FALSE(options) << line;
  return options ? "" : options.error().message;
}

TEST(Options, start_needs_only_a_vip) {
  const Options options = parsed("start --vip 192.0.2.40");
  EXPECT_EQ(options.action, Options::Action::start);
  EXPECT_THAT(options.vips, ElementsAre(*model::parse_address("192.0.2.40")));
  EXPECT_THAT(options.methods, ElementsAre(Method::direct));
  EXPECT_EQ(options.mode, Mode::automatic);
  EXPECT_EQ(options.option_kind, 254);
}

TEST(Options, lists_follow_their_option_or_repeat_it) {
  EXPECT_EQ(parsed("start --vip 192.0.2.40 2001:db8::40 --method direct").vips.size(), 2U);
  EXPECT_EQ(parsed("start --vip=192.0.2.40 --vip 2001:db8::40").vips.size(), 2U);
  EXPECT_EQ(parsed("start --vip 192.0.2.40 192.0.2.40").vips.size(), 1U);
  EXPECT_THAT(parsed("start --vip 192.0.2.40 --method tunnel --interface eth0 eth1").interfaces,
              ElementsAre("eth0", "eth1"));
}

TEST(Options, of_tunnel_and_fullnat) {
  const Options options = parsed(
      "start --method tunnel fullnat --vip 192.0.2.40 --mode tc --mss 1400 --from 10.9.0.0/24 10.9.1.1 --toa-kind 200 "
      "--cgroup /c");
  EXPECT_THAT(options.methods, ElementsAre(Method::tunnel, Method::fullnat));
  EXPECT_EQ(options.mode, Mode::tc);
  EXPECT_EQ(options.mss, 1400U);
  EXPECT_EQ(options.directors.size(), 2U);
  EXPECT_EQ(options.option_kind, 200);
  EXPECT_EQ(options.cgroup, "/c");
}

TEST(Options, help_is_had_anywhere) {
  for (const char* line :
       {"help", "--help", "-h", "start --help", "start --vip 192.0.2.40 -h", "stop --help", "status -h"})
    EXPECT_EQ(parsed(line).action, Options::Action::help) << line;
}

TEST(Options, bounds_are_kept_from_both_sides) {
  parsed("start --vip 192.0.2.40 --method tunnel --mss 536");
  parsed("start --vip 192.0.2.40 --method tunnel --mss 65495");
  complaint_about("start --vip 192.0.2.40 --method tunnel --mss 535");
  complaint_about("start --vip 192.0.2.40 --method tunnel --mss 65496");
  complaint_about("start --vip 192.0.2.40 --method tunnel --mss 1400x");
  parsed("start --method fullnat --from 10.9.0.1 --toa-kind 255");
  complaint_about("start --method fullnat --from 10.9.0.1 --toa-kind 1");
  complaint_about("start --method fullnat --from 10.9.0.1 --toa-kind 256");
}

struct Complaint {
  const char* line;
  const char* part;
};

TEST(Options, what_makes_no_sense_is_refused_with_a_reason) {
  const Complaint complaints[] = {
      {"", "start, stop or status?"},
      {"begin", "\"begin\" is not start, stop or status"},
      {"start", "--vip is missing"},
      {"start --vip", "--vip wants a value"},
      {"start --vip --method direct", "--vip wants a value"},
      {"start --vip 192.0.2", "--vip: \"192.0.2\" is not an address"},
      {"start --vip 127.0.0.1", "127.0.0.1 can be no VIP"},
      {"start --vip ff02::1", "ff02::1 can be no VIP"},
      {"start --vip 192.0.2.40 --method masquerade", "is not direct, tunnel, nat or fullnat"},
      {"start --vip 192.0.2.40 --method nat", "does not have the VIP"},
      {"start --vip 192.0.2.40 --mode generic --method tunnel", "is not auto, native or tc"},
      {"start --vip 192.0.2.40 --mss 1400", "--mss is for tunnel"},
      {"start --vip 192.0.2.40 --interface eth0", "--interface is for tunnel"},
      {"start --vip 192.0.2.40 --mode tc", "--mode is for tunnel"},
      {"start --vip 192.0.2.40 --from 10.9.0.1", "--from is for fullnat"},
      {"start --method fullnat", "--from is missing"},
      {"start --method fullnat --from 10.9.0.0/33", "is not an address or a prefix"},
      {"start --vip 192.0.2.40 --colour red", "--colour is no option"},
      {"start 192.0.2.40", "192.0.2.40 is no option"},
      {"start --vip 192.0.2.40 --json", "--json is for status"},
      {"status --json=yes", "--json takes no value"},
      {"stop --vip 192.0.2.40", "--vip is for start"},
  };
  for (const Complaint& c : complaints) EXPECT_THAT(complaint_about(c.line), HasSubstr(c.part)) << c.line;
}

}  // namespace
}  // namespace penstock::agent
