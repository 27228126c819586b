#include "tests/golden/suite.hpp"

#include <fmt/format.h>
#include <fnmatch.h>

#include <algorithm>
#include <fstream>

#include "tests/golden/bpf_subject.hpp"
#include "tests/golden/native_subject.hpp"
#include "tests/golden/replay.hpp"
#include "tests/golden/report.hpp"

namespace penstock::golden {

namespace {

Result<std::filesystem::path> folder_with_topology(const std::filesystem::path& path) {
  std::error_code error;
  auto folder = std::filesystem::absolute(path, error).lexically_normal();
  for (int levels = 0; levels < 3; ++levels, folder = folder.parent_path()) {
    if (std::filesystem::exists(folder / "topology.json", error)) return folder;
  }
  return fail(ErrorCode::not_found, "looking for topology.json beside or above " + path.string());
}

struct Finished {
  std::string name;
  Run run;
  Judgement judgement;
};

Result<Finished> run_on(const Suite& suite, const Recording& recording, const SubjectMaker& make) {
  auto subject = make(suite.topology);
  if (!subject) return tl::unexpected(subject.error());
  Finished finished{.name = (*subject)->name(), .run = replay(recording, **subject, suite.topology), .judgement = {}};
  finished.judgement = judge(recording, finished.run, suite.deviations);
  return finished;
}

std::vector<StepResult> recorded_results(const Recording& recording) {
  std::vector<StepResult> results;
  for (const Step& step : recording.steps) results.push_back(recorded(step));
  return results;
}

Trial trial_of(const Recording& recording, const Finished& finished) {
  Trial trial{.outcome = finished.judgement.outcome, .report = {}, .deviations = finished.judgement.deviations};
  if (trial.outcome == Outcome::unsupported) trial.report = finished.judgement.reason;
  if (trial.outcome == Outcome::failed) {
    trial.report = print_differences(recording, finished.judgement, recorded_results(recording), finished.run,
                                     "recorded", finished.name);
  }
  return trial;
}

Trial trial_of_both(const Recording& recording, const Finished& native, const Finished& bpf) {
  const Judgement agreement = judge_agreement(recording, native.run, bpf.run);
  Trial trial = trial_of(recording, native);
  const Trial other = trial_of(recording, bpf);
  if (agreement.outcome == Outcome::failed) {
    trial.report += "  native and bpf do not agree:\n" +
                    print_differences(recording, agreement, native.run.results, bpf.run, native.name, bpf.name);
    trial.outcome = Outcome::failed;
  }
  // While they agree, the other's report would be the same again.
  if (trial.outcome != Outcome::failed && other.outcome == Outcome::failed) trial = other;
  return trial;
}

}  // namespace

Result<Suite> load_suite(const std::vector<std::filesystem::path>& paths) {
  Suite suite;
  for (const auto& path : paths) {
    const auto folder = folder_with_topology(path);
    if (!folder) return tl::unexpected(folder.error());
    auto topology = load_topology((*folder / "topology.json").string());
    if (!topology) return tl::unexpected(topology.error());
    auto deviations = load_deviations(*folder / "known_deviations.txt");
    if (!deviations) return tl::unexpected(deviations.error());
    auto recordings = load_recordings(path);
    if (!recordings) return tl::unexpected(recordings.error());
    suite.topology = std::move(*topology);
    suite.deviations = std::move(*deviations);
    std::move(recordings->begin(), recordings->end(), std::back_inserter(suite.recordings));
  }
  return suite;
}

Result<std::vector<std::string>> load_globs(const std::filesystem::path& file) {
  std::ifstream stream(file);
  if (!stream) return fail(ErrorCode::io, "reading " + file.string());
  std::vector<std::string> globs;
  for (std::string line; std::getline(stream, line);) {
    if (!line.empty() && line.front() != '#') globs.push_back(line);
  }
  return globs;
}

bool is_selected(const Recording& recording, const std::vector<std::string>& globs,
                 const std::vector<std::string>& tags) {
  const auto names_it = [&](const std::string& glob) { return fnmatch(glob.c_str(), recording.name.c_str(), 0) == 0; };
  const auto tags_it = [&](const std::string& tag) { return recording.has_tag(tag); };
  return (globs.empty() || std::any_of(globs.begin(), globs.end(), names_it)) &&
         (tags.empty() || std::any_of(tags.begin(), tags.end(), tags_it));
}

Result<Trial> try_recording_on(const Suite& suite, const Recording& recording, const SubjectMaker& make) {
  const auto finished = run_on(suite, recording, make);
  if (!finished) return tl::unexpected(finished.error());
  return trial_of(recording, *finished);
}

Result<Trial> try_recording(const Suite& suite, const Recording& recording, Mode mode) {
  if (mode == Mode::native) return try_recording_on(suite, recording, make_native_subject);
  if (mode == Mode::bpf) return try_recording_on(suite, recording, make_bpf_subject);
  const auto native = run_on(suite, recording, make_native_subject);
  if (!native) return tl::unexpected(native.error());
  const auto bpf = run_on(suite, recording, make_bpf_subject);
  if (!bpf) return tl::unexpected(bpf.error());
  return trial_of_both(recording, *native, *bpf);
}

}  // namespace penstock::golden
