#include "lab/report.hpp"

#include <fmt/format.h>
#include <poll.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <string_view>

namespace penstock::lab {
namespace {

// Each begins a line; `failed` has all that follows.
constexpr std::string_view done = "done ";
constexpr std::string_view awaited = "awaited ";
constexpr std::string_view note = "note ";
constexpr std::string_view ready = "ready\n";
constexpr std::string_view failed = "failed ";

Result<void> send(const FileDescriptor& report, std::string_view text) {
  if (::write(report.get(), text.data(), text.size()) == static_cast<ssize_t>(text.size())) return {};
  return fail_errno("nobody waits for this lab any more", errno);
}

class Reader {
 public:
  explicit Reader(const OnProgress& on_progress) : on_progress_(on_progress) {}

  void take(std::string_view bytes) {
    text_ += bytes;
    while (!text_.starts_with(failed)) {
      const std::size_t end = text_.find('\n');
      if (end == text_.npos) return;
      take_line(std::string_view(text_).substr(0, end + 1));
      text_.erase(0, end + 1);
    }
  }

  Result<std::vector<std::string>> end() && {
    if (text_.starts_with(failed)) return fail(ErrorCode::unavailable, text_.substr(failed.size()));
    if (!is_ready_) return fail(ErrorCode::unavailable, "the lab's supervisor has died");
    return std::move(notes_);
  }

 private:
  void take_line(std::string_view line) {
    if (line == ready) {
      is_ready_ = true;
      return;
    }
    line.remove_suffix(1);
    if (line.starts_with(done)) tell(Progress::Kind::done, line.substr(done.size()));
    if (line.starts_with(awaited)) tell(Progress::Kind::awaited, line.substr(awaited.size()));
    if (line.starts_with(note)) notes_.emplace_back(line.substr(note.size()));
  }

  void tell(Progress::Kind kind, std::string_view text) const {
    if (on_progress_) on_progress_({.kind = kind, .text = std::string(text)});
  }

  const OnProgress& on_progress_;
  std::string text_;
  std::vector<std::string> notes_;
  bool is_ready_ = false;
};

}  // namespace

Result<void> report_progress(const FileDescriptor& report, const Progress& progress) {
  const std::string_view word = progress.kind == Progress::Kind::done ? done : awaited;
  return send(report, fmt::format("{}{}\n", word, progress.text));
}

Result<void> report_end(const FileDescriptor& report, const Result<std::vector<std::string>>& notes) {
  if (!notes) return send(report, fmt::format("{}{}", failed, notes.error().message));
  std::string text;
  for (const std::string& line : *notes) text += fmt::format("{}{}\n", note, line);
  return send(report, text.append(ready));
}

Result<std::vector<std::string>> read_report(const FileDescriptor& report, const OnProgress& on_progress,
                                             std::chrono::milliseconds silence_max) {
  Reader reader(on_progress);
  std::array<char, 4096> buffer;
  for (;;) {
    pollfd readable{.fd = report.get(), .events = POLLIN, .revents = 0};
    if (poll(&readable, 1, static_cast<int>(silence_max.count())) == 0) {
      return fail(ErrorCode::unavailable, "the lab's supervisor is silent", ETIMEDOUT);
    }
    const ssize_t size = ::read(report.get(), buffer.data(), buffer.size());
    if (size < 0 && errno == EINTR) continue;
    if (size <= 0) return std::move(reader).end();
    reader.take({buffer.data(), static_cast<std::size_t>(size)});
  }
}

}  // namespace penstock::lab
