// What a lab's supervisor says to the `up` that started it: lines through a pipe, at last that all is ready or why it isn't.
#pragma once

#include <chrono>
#include <functional>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "lab/file_descriptor.hpp"

namespace penstock::lab {

// Longer than any single wait of the supervisor, so that those speak first.
inline constexpr std::chrono::seconds report_silence_max{90};

struct Progress {
  enum class Kind {
    done,    // "director is ready"
    awaited  // "director, rs1": until the next of either kind
  };
  Kind kind = Kind::done;
  std::string text;  // of one line
};

using OnProgress = std::function<void(const Progress&)>;

// The writing end. An error means that nobody reads it any more, so nobody would know of the lab.
[[nodiscard]] Result<void> report_progress(const FileDescriptor& report, const Progress& progress);
[[nodiscard]] Result<void> report_end(const FileDescriptor& report, const Result<std::vector<std::string>>& notes);

// The reading end, until the supervisor's end of the pipe is closed: its notes for the user, or its error.
[[nodiscard]] Result<std::vector<std::string>> read_report(const FileDescriptor& report, const OnProgress& on_progress,
                                                           std::chrono::milliseconds silence_max = report_silence_max);

}  // namespace penstock::lab
