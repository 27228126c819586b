#include "tests/golden/recording.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>

#include "tests/golden/suite.hpp"

namespace penstock::golden {
namespace {

constexpr const char* folder = PENSTOCK_SOURCE_DIR "/tests/golden";

TEST(Recordings, are_what_the_kernel_did_and_nobody_edited_them) {
  const std::string check = std::string("cd '") + folder + "' && sha256sum --check --strict --quiet SHA256SUMS";
  EXPECT_EQ(std::system(check.c_str()), 0);
  const std::string all_listed =
      std::string("cd '") + folder + "' && test \"$(ls recordings | wc -l)\" = \"$(grep -c recordings/ SHA256SUMS)\"";
  EXPECT_EQ(std::system(all_listed.c_str()), 0);
}

TEST(Recordings, load_all_and_each_stands_in_the_index) {
  const auto suite = load_suite({std::string(folder) + "/recordings"});
  ASSERT_TRUE(suite) << suite.error().message;
  std::ifstream stream(std::string(folder) + "/INDEX.txt");
  std::vector<std::string> listed;
  for (std::string line; std::getline(stream, line);) listed.push_back(line.substr(0, line.find(' ')));
  ASSERT_EQ(suite->recordings.size(), listed.size());
  for (std::size_t i = 0; i < listed.size(); ++i) EXPECT_EQ(suite->recordings[i].name, listed[i]);
}

TEST(Recordings, each_required_glob_names_at_least_one) {
  const auto suite = load_suite({std::string(folder) + "/recordings"});
  ASSERT_TRUE(suite) << suite.error().message;
  const auto globs = load_globs(std::string(folder) + "/required.txt");
  ASSERT_TRUE(globs) << globs.error().message;
  for (const auto& glob : *globs) {
    const auto named = [&](const Recording& recording) { return is_selected(recording, {glob}, {}); };
    EXPECT_TRUE(std::any_of(suite->recordings.begin(), suite->recordings.end(), named)) << glob;
  }
}

TEST(Recordings, a_file_that_is_none_is_refused_with_its_name) {
  const auto missing = load_recording("/nonexistent/x.json");
  ASSERT_FALSE(missing);
  EXPECT_NE(missing.error().message.find("/nonexistent/x.json"), std::string::npos);
  const auto other = load_recording(std::string(folder) + "/topology.json");
  ASSERT_FALSE(other);
  EXPECT_EQ(other.error().code, ErrorCode::protocol);
}

TEST(IsSelected, any_glob_and_any_tag) {
  const Recording recording{.name = "dr-tcp-basic-p", .description = "", .tags = {"dr", "tcp"}, .steps = {}};
  EXPECT_TRUE(is_selected(recording, {}, {}));
  EXPECT_TRUE(is_selected(recording, {"nat*", "dr-tcp*"}, {"udp", "tcp"}));
  EXPECT_FALSE(is_selected(recording, {"nat*"}, {}));
  EXPECT_FALSE(is_selected(recording, {}, {"udp"}));
  EXPECT_FALSE(is_selected(recording, {"dr*"}, {"udp"}));
}

}  // namespace
}  // namespace penstock::golden
