#include "lab/view.hpp"

#include <fmt/format.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <termios.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <filesystem>
#include <optional>
#include <thread>

#include "lab/lab.hpp"
#include "lab/picture.hpp"

namespace penstock::lab {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;
using namespace std::chrono_literals;

constexpr auto interval = 1s;
constexpr std::string_view legend = "▲ ▼ packets and bits each second";
constexpr std::string_view open_screen = "\x1b[?1049h\x1b[?25l";  // the other screen, no cursor
constexpr std::string_view close_screen = "\x1b[?25h\x1b[?1049l";
constexpr std::string_view home = "\x1b[H";
constexpr std::string_view clear_to_line_end = "\x1b[K";
constexpr std::string_view clear_to_screen_end = "\x1b[J";

void write_all(std::string_view text) {
  while (!text.empty()) {
    const ssize_t size = ::write(STDOUT_FILENO, text.data(), text.size());
    if (size < 0 && errno != EINTR) return;
    if (size > 0) text.remove_prefix(static_cast<std::size_t>(size));
  }
}

class Watch {
 public:
  static Result<Watch> on(const std::string& name) {
    if (auto good = check_lab_name(name); !good) return fail(std::move(good.error()));
    Status now = status(name);
    if (now.condition == Condition::down || !now.topology || now.hosts.empty()) {
      return fail(ErrorCode::not_found, fmt::format("lab '{}' is down", name));
    }
    Watch watch;
    const std::string topology = std::filesystem::path(now.topology_path).stem();
    watch.title_ = fmt::format("lab '{}': {}", name, topology);
    watch.ended_ = fmt::format("lab '{}' is down", name);
    watch.topology_ = std::move(*now.topology);
    watch.switch_pid_ = now.hosts.back().pid;
    if (auto read = watch.read(); !read) return fail(std::move(read.error()));
    return watch;
  }

  // What has flowed since the last reading.
  Result<void> read() {
    auto traffic = read_traffic(topology_, switch_pid_);
    if (!traffic) return fail(ErrorCode::not_found, ended_);
    const auto now = steady_clock::now();
    flows_ = rates(traffic_, *traffic, now - read_at_);
    traffic_ = std::move(*traffic);
    read_at_ = now;
    return {};
  }

  [[nodiscard]] std::vector<std::string> picture(std::string_view below, const Size& size, bool with_styles) const {
    return draw(topology_, flows_, {.above = title_, .below = std::string(below)}, size).rows(with_styles);
  }

 private:
  std::string title_;
  std::string ended_;
  Topology topology_;
  pid_t switch_pid_ = 0;
  Traffic traffic_;
  steady_clock::time_point read_at_;
  std::vector<LinkRate> flows_;
};

// The terminal, key by key and on its other screen, until the end of the scope.
class Screen {
 public:
  Screen() {
    tcgetattr(STDIN_FILENO, &before_);
    termios keys = before_;
    keys.c_lflag &= ~static_cast<tcflag_t>(ICANON | ECHO | ISIG);  // Ctrl-C is a key here
    tcsetattr(STDIN_FILENO, TCSAFLUSH, &keys);
    write_all(open_screen);
  }
  Screen(const Screen&) = delete;
  Screen& operator=(const Screen&) = delete;
  ~Screen() {
    write_all(close_screen);
    tcsetattr(STDIN_FILENO, TCSAFLUSH, &before_);
  }

  [[nodiscard]] static Size size() {
    winsize window{};
    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &window) != 0 || window.ws_col == 0) return {};
    return {.columns = window.ws_col, .rows = window.ws_row};
  }

  static void show(const std::vector<std::string>& rows) {
    std::string text(home);
    for (std::size_t i = 0; i < rows.size(); ++i) {
      text += rows[i];
      text += clear_to_line_end;
      if (i + 1 < rows.size()) text += "\r\n";
    }
    write_all(text.append(clear_to_screen_end));
  }

 private:
  termios before_{};
};

FileDescriptor signals_as_file() {
  sigset_t signals;
  sigemptyset(&signals);
  for (const int signal : {SIGINT, SIGTERM, SIGHUP, SIGWINCH}) sigaddset(&signals, signal);
  sigprocmask(SIG_BLOCK, &signals, nullptr);
  return FileDescriptor(signalfd(-1, &signals, SFD_CLOEXEC));
}

enum class Wish { go_on, redraw, end };

Wish wish_of_key() {
  char key = 0;
  if (::read(STDIN_FILENO, &key, 1) != 1) return Wish::end;
  constexpr char ctrl_c = 3;
  return key == 'q' || key == 'Q' || key == ctrl_c ? Wish::end : Wish::go_on;
}

Wish wish_of_signal(const FileDescriptor& signals) {
  signalfd_siginfo info{};
  if (::read(signals.get(), &info, sizeof info) != sizeof info) return Wish::end;
  return info.ssi_signo == SIGWINCH ? Wish::redraw : Wish::end;
}

// What the user wants by `until`; going on, if nothing.
Wish next_wish(const FileDescriptor& signals, steady_clock::time_point until) {
  for (;;) {
    const auto left = std::chrono::ceil<milliseconds>(until - steady_clock::now());
    if (left.count() <= 0) return Wish::go_on;
    pollfd files[] = {{.fd = STDIN_FILENO, .events = POLLIN, .revents = 0},
                      {.fd = signals.get(), .events = POLLIN, .revents = 0}};
    poll(files, std::size(files), static_cast<int>(left.count()));
    Wish wish = Wish::go_on;
    if (files[0].revents != 0) wish = wish_of_key();
    if (files[1].revents != 0 && wish != Wish::end) wish = wish_of_signal(signals);
    if (wish != Wish::go_on) return wish;
  }
}

Result<void> watch_until_told(Watch& watch, const FileDescriptor& signals) {
  const std::string below = fmt::format("{}      q: quit", legend);
  auto next = steady_clock::now();
  for (;;) {
    Screen::show(watch.picture(below, Screen::size(), true));
    if (steady_clock::now() >= next) next += interval;
    const Wish wish = next_wish(signals, next);
    if (wish == Wish::end) return {};
    if (wish == Wish::redraw) continue;
    if (auto read = watch.read(); !read) return read;
  }
}

}  // namespace

Result<void> view(const std::string& name) {
  if (isatty(STDIN_FILENO) == 0 || isatty(STDOUT_FILENO) == 0) {
    return fail(ErrorCode::unsupported, "view needs a terminal; `view --once` prints one picture without");
  }
  auto watch = Watch::on(name);
  if (!watch) return fail(std::move(watch.error()));
  const FileDescriptor signals = signals_as_file();
  const Screen screen;
  return watch_until_told(*watch, signals);
}

Result<std::string> view_once(const std::string& name, const Size& size, bool with_styles) {
  auto watch = Watch::on(name);
  if (!watch) return fail(std::move(watch.error()));
  std::this_thread::sleep_for(interval);
  if (auto read = watch->read(); !read) return fail(std::move(read.error()));
  std::string text;
  for (const std::string& row : watch->picture(legend, size, with_styles)) text += row + '\n';
  return text;
}

}  // namespace penstock::lab
