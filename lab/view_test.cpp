// The view of a real lab on a real terminal, a pseudo one.
#include "lab/view.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <pty.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>
#include <utmp.h>

#include "lab/lab_fixture.hpp"
#include "lab/wait_until.hpp"

namespace penstock::lab {
namespace {

using namespace std::chrono_literals;
using testing::EndsWith;
using testing::HasSubstr;

constexpr std::string_view pair_of_hosts = R"(
network n 192.0.2.0/24
host client
  role client
  link n 192.0.2.10
host rs
  role realserver
  link n 192.0.2.32
  page Hello
)";

constexpr std::string_view open_screen = "\x1b[?1049h\x1b[?25l";
constexpr std::string_view close_screen = "\x1b[?25h\x1b[?1049l";

// penstock-lab view on a terminal of its own.
class Terminal {
 public:
  explicit Terminal(const std::string& lab) {
    winsize size{};
    size.ws_row = 24;
    size.ws_col = 80;
    int master = -1;
    int slave = -1;
    EXPECT_EQ(openpty(&master, &slave, nullptr, nullptr, &size), 0);
    master_ = FileDescriptor(master);
    slave_ = FileDescriptor(slave);
    before_ = settings();
    pid_ = fork();
    if (pid_ == 0) {
      login_tty(slave);
      execl((project.bin + "/penstock-lab").c_str(), "penstock-lab", "--name", lab.c_str(), "view", nullptr);
      _exit(127);
    }
  }

  ~Terminal() {
    kill(pid_, SIGKILL);
    waitpid(pid_, nullptr, 0);
  }

  // What has been shown until it has `text`; all, if it hasn't in time.
  std::string shown_with(std::string_view text) {
    (void)wait_until(in(5s), [&] {
      take();
      return shown_.find(text) != shown_.npos;
    });
    return shown_;
  }

  void press(std::string_view key) { EXPECT_EQ(::write(master_.get(), key.data(), key.size()), 1); }
  void send_signal(int signal) { kill(pid_, signal); }

  // Exit status and that the terminal is as it was.
  int end() {
    int status = -1;
    EXPECT_TRUE(wait_until(in(5s), [&] { return waitpid(pid_, &status, WNOHANG) == pid_; }));
    take();
    EXPECT_THAT(shown_, HasSubstr(std::string(close_screen)));
    const termios after = settings();
    EXPECT_EQ(after.c_lflag, before_.c_lflag);
    EXPECT_EQ(after.c_iflag, before_.c_iflag);
    return exit_status_of(status);
  }

  std::string all() { return shown_; }

 private:
  termios settings() const {
    termios now{};
    EXPECT_EQ(tcgetattr(slave_.get(), &now), 0);
    return now;
  }

  void take() {
    char buffer[8192];
    pollfd readable{.fd = master_.get(), .events = POLLIN, .revents = 0};
    while (poll(&readable, 1, 0) == 1 && (readable.revents & POLLIN) != 0) {
      const ssize_t size = ::read(master_.get(), buffer, sizeof buffer);
      if (size <= 0) return;
      shown_.append(buffer, static_cast<std::size_t>(size));
    }
  }

  FileDescriptor master_;
  FileDescriptor slave_;  // kept open, so that what was shown and set can be asked for after the end
  termios before_{};
  pid_t pid_ = 0;
  std::string shown_;
};

class View : public LabTest {};

TEST_F(View, once_shows_the_flow_of_the_last_second) {
  ASSERT_TRUE(bring_up(file_of(pair_of_hosts)));
  const auto silent = view_once(name_, {}, false);
  ASSERT_TRUE(silent) << silent.error().message;
  EXPECT_THAT(*silent, HasSubstr("┌─── client ───"));
  EXPECT_THAT(*silent, HasSubstr("▲     0      0"));
  output_of("client", {"sh", "-c", "(setsid wrk -t1 -c1 -d5s http://rs/ >/dev/null 2>&1 &)"});
  const auto busy = view_once(name_, {}, false);
  ASSERT_TRUE(busy) << busy.error().message;
  EXPECT_THAT(*busy, testing::Not(HasSubstr("▲     0      0")));
  EXPECT_THAT(*busy, testing::ContainsRegex("▼ +[0-9.]+k? +[0-9.]+[kMG]"));
}

TEST_F(View, of_a_lab_that_is_down_says_so) {
  EXPECT_EQ(view_once(name_, {}, false).error().message, fmt::format("lab '{}' is down", name_));
}

TEST_F(View, q_ends_it_and_the_terminal_is_as_it_was) {
  ASSERT_TRUE(bring_up(file_of(pair_of_hosts)));
  Terminal terminal(name_);
  const std::string shown = terminal.shown_with("q: quit");
  EXPECT_THAT(shown, HasSubstr(std::string(open_screen)));
  EXPECT_THAT(shown, HasSubstr(" rs "));
  terminal.press("q");
  EXPECT_EQ(terminal.end(), 0);
  EXPECT_THAT(terminal.all(), EndsWith(std::string(close_screen)));
}

TEST_F(View, ctrl_c_and_a_signal_end_it_as_well) {
  ASSERT_TRUE(bring_up(file_of(pair_of_hosts)));
  Terminal by_key(name_);
  by_key.shown_with("q: quit");
  by_key.press("\x03");
  EXPECT_EQ(by_key.end(), 0);
  Terminal by_signal(name_);
  by_signal.shown_with("q: quit");
  by_signal.send_signal(SIGTERM);
  EXPECT_EQ(by_signal.end(), 0);
}

TEST_F(View, the_labs_end_ends_it_with_a_sentence_on_the_terminal_as_it_was) {
  ASSERT_TRUE(bring_up(file_of(pair_of_hosts)));
  Terminal terminal(name_);
  terminal.shown_with("q: quit");
  ASSERT_TRUE(down(name_));
  EXPECT_EQ(terminal.end(), 1);
  EXPECT_THAT(terminal.all(), EndsWith(fmt::format("{}penstock lab: lab '{}' is down\r\n", close_screen, name_)));
}

}  // namespace
}  // namespace penstock::lab
