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

// What one recording is tried against. Both: each against the recording, and then they against each other.
enum class Mode { native, bpf, both };

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

// Error: a subject could not be made at all (ErrorCode::permission_denied: BPF programs can't be loaded here).
[[nodiscard]] Result<Trial> try_recording(const Suite& suite, const Recording& recording, Mode mode);

// The same, with the subject from `make`: for other directors than the two.
using SubjectMaker = std::function<Result<std::unique_ptr<Subject>>(const Topology&)>;
[[nodiscard]] Result<Trial> try_recording_on(const Suite& suite, const Recording& recording, const SubjectMaker& make);

}  // namespace penstock::golden
