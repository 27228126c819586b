// Holds a run against its recording, or two runs against each other.
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "tests/golden/difference.hpp"
#include "tests/golden/recording.hpp"
#include "tests/golden/run.hpp"

namespace penstock::golden {

// Something that the kernel does and Penstock on purpose does not. Globs for recordings, places of differences and, where the
// place has "@…" behind it, the notes of steps.
struct Deviation {
  std::string recording;
  std::string where;
  std::string reason;
};

// Lines "recording-glob where-glob[@note-glob] reason…"; empty lines and those with '#' in front are comments.
[[nodiscard]] Result<std::vector<Deviation>> load_deviations(const std::filesystem::path& file);

enum class Outcome { passed, failed, unsupported };

struct Judgement {
  Outcome outcome = Outcome::passed;
  std::map<std::size_t, Differences> steps{};  // those that differ, by number
  std::vector<std::string> deviations{};       // known ones that were met, with their reasons
  std::string reason{};                        // unsupported, or broken
};

// A difference before the step that is not supported fails the recording all the same.
[[nodiscard]] Judgement judge(const Recording& recording, const Run& run, const std::vector<Deviation>& deviations);

// Do two directors do the same at every step?
[[nodiscard]] Judgement judge_agreement(const Recording& recording, const Run& one, const Run& other);

}  // namespace penstock::golden
