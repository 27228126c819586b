#include "lab/progress_lines.hpp"

#include <gtest/gtest.h>

namespace penstock::lab {
namespace {

using namespace std::chrono_literals;

const Progress awaited{.kind = Progress::Kind::awaited, .text = "rs1, rs2"};
const Progress done{.kind = Progress::Kind::done, .text = "rs1"};

TEST(ProgressLines, without_a_terminal_only_what_is_done_is_written) {
  ProgressLines lines(0);
  EXPECT_EQ(lines.take(awaited, 100ms), "");
  EXPECT_EQ(lines.take(done, 1234ms), "  1.23 s  rs1\n");
  EXPECT_EQ(lines.end(), "");
}

TEST(ProgressLines, on_a_terminal_the_last_line_says_what_is_awaited) {
  ProgressLines lines(80);
  EXPECT_EQ(lines.take(awaited, 100ms), "          waiting for rs1, rs2");
  EXPECT_EQ(lines.take(done, 200ms), "\r\x1b[K  0.20 s  rs1\n");
  EXPECT_EQ(lines.take(awaited, 300ms), "          waiting for rs1, rs2");
  EXPECT_EQ(lines.end(), "\r\x1b[K");
  EXPECT_EQ(lines.end(), "");
}

TEST(ProgressLines, a_line_never_reaches_the_terminals_edge) {
  ProgressLines lines(20);
  EXPECT_EQ(lines.take(awaited, 0ms), "          waiting f");
}

}  // namespace
}  // namespace penstock::lab
