// What came of a recording's steps, when they were recorded or when a director was taken through them.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "tests/golden/recording.hpp"

namespace penstock::golden {

// What a step gave, recorded or replayed; which members have a meaning depends on the step.
struct StepResult {
  std::vector<Sent> sent{};
  int status = 0;
  std::string output{};
  std::string error{};
  std::map<Interface, std::uint64_t> counts{};  // of a flood
};

[[nodiscard]] StepResult recorded(const Step& step);

struct Unsupported {
  std::size_t step = 0;
  std::string reason;
};

struct Run {
  std::vector<StepResult> results;         // one a step, fewer when it ended early
  std::optional<Unsupported> unsupported;  // the first step that needs what Penstock does not have
  std::optional<Error> broken;             // the subject itself failed at step results.size()
};

}  // namespace penstock::golden
