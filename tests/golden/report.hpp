// What a replay found, as text for people.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "tests/golden/judge.hpp"

namespace penstock::golden {

// The steps that differ: each with its number and title, frames side by side with the differing fields marked, texts as a
// small diff. `left` and `right` name the two sides: "recorded", "native".
[[nodiscard]] std::string print_differences(const Recording& recording, const Judgement& judgement,
                                            const std::vector<StepResult>& want, const Run& got, std::string_view left,
                                            std::string_view right);

struct Verdicted {
  std::string name;
  std::vector<std::string> tags;
  Outcome outcome = Outcome::passed;
  std::string reason{};  // unsupported: "step 3: …"
};

// Recordings by tag and outcome, a line for each reason that some were skipped for, and alone in the last line the sum of it.
[[nodiscard]] std::string print_table(const std::vector<Verdicted>& recordings);

}  // namespace penstock::golden
