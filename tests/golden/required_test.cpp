// The recordings that Penstock must reproduce (required.txt), on each data plane and in agreement.
#include <gtest/gtest.h>

#include "tests/golden/suite.hpp"

namespace penstock::golden {
namespace {

constexpr const char* folder = PENSTOCK_SOURCE_DIR "/tests/golden";

void reproduce_required(Mode mode) {
  const auto suite = load_suite({std::string(folder) + "/recordings"});
  ASSERT_TRUE(suite) << suite.error().message;
  const auto globs = load_globs(std::string(folder) + "/required.txt");
  ASSERT_TRUE(globs) << globs.error().message;
  const auto directors = make_directors(mode);
  if (!directors && directors.error().code == ErrorCode::permission_denied) {
    GTEST_SKIP() << "SKIPPED: the recordings were not held against the BPF program: " << directors.error().message;
  }
  ASSERT_TRUE(directors) << directors.error().message;
  std::size_t tried = 0;
  for (const Recording& recording : suite->recordings) {
    if (!is_selected(recording, *globs, {})) continue;
    const auto trial = try_recording(*suite, recording, *directors);
    ASSERT_TRUE(trial) << trial.error().message;
    EXPECT_TRUE(trial->outcome == Outcome::passed) << recording.name << "\n" << trial->report;
    ++tried;
  }
  EXPECT_GE(tried, globs->size());
}

TEST(RequiredRecordings, native_does_what_the_kernel_did) { reproduce_required(Mode::native); }
TEST(RequiredRecordings, bpf_does_what_the_kernel_did) { reproduce_required(Mode::bpf); }
TEST(RequiredRecordings, native_and_bpf_agree) { reproduce_required(Mode::both); }

}  // namespace
}  // namespace penstock::golden
