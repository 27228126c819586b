// Takes a director through the steps of a recording and keeps what came of each.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "tests/golden/recording.hpp"
#include "tests/golden/subject.hpp"
#include "tests/golden/topology.hpp"

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

[[nodiscard]] Run replay(const Recording& recording, Subject& subject, const Topology& topology);

}  // namespace penstock::golden
