#include "lab/report.hpp"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <csignal>

namespace penstock::lab {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;

class Report : public testing::Test {
 protected:
  void SetUp() override {
    std::array<int, 2> pipe{};
    ASSERT_EQ(pipe2(pipe.data(), O_CLOEXEC), 0);
    reader_ = FileDescriptor(pipe[0]);
    writer_ = FileDescriptor(pipe[1]);
  }

  Result<std::vector<std::string>> read(std::chrono::milliseconds silence_max = 5s) {
    return read_report(
        reader_,
        [&](const Progress& progress) {
          told_.push_back((progress.kind == Progress::Kind::done ? "+" : "?") + progress.text);
        },
        silence_max);
  }

  FileDescriptor reader_;
  FileDescriptor writer_;
  std::vector<std::string> told_;
};

TEST_F(Report, progress_is_told_in_order_and_notes_come_at_the_end) {
  ASSERT_TRUE(report_progress(writer_, {.kind = Progress::Kind::awaited, .text = "rs1, rs2"}));
  ASSERT_TRUE(report_progress(writer_, {.kind = Progress::Kind::done, .text = "rs1 is ready"}));
  ASSERT_TRUE(report_end(writer_, std::vector<std::string>{"a: x", "b: y"}));
  writer_.reset();
  const auto notes = read();
  ASSERT_TRUE(notes) << notes.error().message;
  EXPECT_THAT(*notes, ElementsAre("a: x", "b: y"));
  EXPECT_THAT(told_, ElementsAre("?rs1, rs2", "+rs1 is ready"));
}

TEST_F(Report, an_error_of_several_lines_arrives_whole) {
  ASSERT_TRUE(report_progress(writer_, {.kind = Progress::Kind::done, .text = "rs1 is ready"}));
  ASSERT_TRUE(report_end(writer_, fail(ErrorCode::io, "rs2: no\n--- the log ---\nready\nnote x\n")));
  writer_.reset();
  const auto notes = read();
  ASSERT_FALSE(notes);
  EXPECT_EQ(notes.error().message, "rs2: no\n--- the log ---\nready\nnote x\n");
  EXPECT_THAT(told_, ElementsAre("+rs1 is ready"));
}

TEST_F(Report, a_pipe_that_closes_early_means_death) {
  ASSERT_TRUE(report_progress(writer_, {.kind = Progress::Kind::done, .text = "rs1 is ready"}));
  writer_.reset();
  EXPECT_EQ(read().error().message, "the lab's supervisor has died");
}

TEST_F(Report, silence_ends_the_wait) { EXPECT_EQ(read(10ms).error().message, "the lab's supervisor is silent"); }

TEST_F(Report, the_writer_learns_that_nobody_reads) {
  ::signal(SIGPIPE, SIG_IGN);
  reader_.reset();
  EXPECT_FALSE(report_progress(writer_, {.kind = Progress::Kind::done, .text = "x"}));
  EXPECT_FALSE(report_end(writer_, std::vector<std::string>{}));
}

}  // namespace
}  // namespace penstock::lab
