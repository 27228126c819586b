// Recordings, and the directors that are held against them.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "tests/golden/judge.hpp"
#include "tests/golden/recording.hpp"
#include "tests/golden/subject.hpp"
#include "tests/golden/topology.hpp"

namespace penstock::golden {

struct Suite {
  Topology topology;
  std::vector<Deviation> deviations;
  std::vector<Recording> recordings;
};

// A folder of recordings or single ones; topology.json and known_deviations.txt stand beside them or in a folder above.
[[nodiscard]] Result<Suite> load_suite(const std::vector<std::filesystem::path>& paths);

// Globs for names, one a line; '#' begins a comment.
[[nodiscard]] Result<std::vector<std::string>> load_globs(const std::filesystem::path& file);

// Any of the globs and any of the tags; an empty list admits all.
[[nodiscard]] bool is_selected(const Recording& recording, const std::vector<std::string>& globs,
                               const std::vector<std::string>& tags);

struct Trial {
  Outcome outcome = Outcome::passed;
  std::string report;                   // failed: what differs; unsupported: why
  std::vector<std::string> deviations;  // known ones that were met
};

// What is required may not be unsupported: that is a failure then.
void demand_support(Trial& trial);

using SubjectMaker = std::function<Result<std::unique_ptr<Subject>>(const Topology&)>;

// What recordings are tried against. Two: each against the recording, and then they against each other.
enum class Mode { native, bpf, tc, both };
[[nodiscard]] Result<std::vector<SubjectMaker>> make_directors(Mode mode);

// Error: a subject could not be made at all.
[[nodiscard]] Result<Trial> try_recording(const Suite& suite, const Recording& recording,
                                          const std::vector<SubjectMaker>& directors);

}  // namespace penstock::golden
