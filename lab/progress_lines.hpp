// How `up` shows its progress: a line for each thing done, with the time; on a terminal also what is being waited for, on the last
// line, until it is there.
#pragma once

#include <chrono>
#include <cstddef>
#include <string>

#include "lab/report.hpp"

namespace penstock::lab {

class ProgressLines {
 public:
  // `columns`: the terminal's width; 0: no terminal, plain lines only.
  explicit ProgressLines(std::size_t columns) : columns_(columns) {}

  // What to write at once; `after`: since the beginning.
  [[nodiscard]] std::string take(const Progress& progress, std::chrono::duration<double> after);
  // Takes away what is being waited for.
  [[nodiscard]] std::string end();

 private:
  std::size_t columns_;
  bool is_waiting_shown_ = false;
};

}  // namespace penstock::lab
