#include "lab/progress_lines.hpp"

#include <fmt/format.h>

namespace penstock::lab {
namespace {

constexpr std::string_view clear_line = "\r\x1b[K";

}  // namespace

std::string ProgressLines::take(const Progress& progress, std::chrono::duration<double> after) {
  if (progress.kind == Progress::Kind::done)
    return end() + fmt::format("{:6.2f} s  {}\n", after.count(), progress.text);
  if (columns_ == 0) return "";
  std::string waiting = fmt::format("          waiting for {}", progress.text);
  if (waiting.size() >= columns_) waiting.resize(columns_ - 1);
  std::string text = end() + waiting;
  is_waiting_shown_ = true;
  return text;
}

std::string ProgressLines::end() {
  if (!is_waiting_shown_) return "";
  is_waiting_shown_ = false;
  return std::string(clear_line);
}

}  // namespace penstock::lab
