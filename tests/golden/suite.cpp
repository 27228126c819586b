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

Trial trial_of_agreement(const Recording& recording, const Finished& one, const Finished& other) {
  const Judgement agreement = judge_agreement(recording, one.run, other.run);
  if (agreement.outcome != Outcome::failed) return {};
  return {.outcome = Outcome::failed,
          .report = fmt::format("  {} and {} do not agree:\n", one.name, other.name) +
                    print_differences(recording, agreement, one.run.results, other.run, one.name, other.name),
          .deviations = {}};
}

void merge(Trial& into, const Trial& more) {
  if (more.outcome == Outcome::failed) {
    into.report = into.outcome == Outcome::failed ? into.report + more.report : more.report;
    into.outcome = Outcome::failed;
  } else if (into.outcome == Outcome::passed) {
    into = more;
  }
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

void demand_support(Trial& trial) {
  if (trial.outcome != Outcome::unsupported) return;
  trial.outcome = Outcome::failed;
  trial.report = "  required, but unsupported: " + trial.report + "\n";
}

Result<std::vector<SubjectMaker>> make_directors(Mode mode) {
  std::vector<SubjectMaker> directors;
  if (mode == Mode::native || mode == Mode::both) directors.emplace_back(make_native_subject);
  if (mode == Mode::native) return directors;
  auto loaded = BpfProgram::load(mode == Mode::tc ? BpfProgram::Kind::tc : BpfProgram::Kind::xdp);
  if (!loaded) return tl::unexpected(loaded.error());
  // Shared, because a std::function is copied.
  directors.emplace_back([program = std::shared_ptr<BpfProgram>(std::move(*loaded))](const Topology& topology) {
    return program->make_subject(topology);
  });
  return directors;
}

Result<Trial> try_recording(const Suite& suite, const Recording& recording,
                            const std::vector<SubjectMaker>& directors) {
  std::vector<Finished> finished;
  for (const SubjectMaker& make : directors) {
    auto one = run_on(suite, recording, make);
    if (!one) return tl::unexpected(one.error());
    finished.push_back(std::move(*one));
  }
  Trial trial = trial_of(recording, finished.front());
  for (std::size_t i = 1; i < finished.size(); ++i) {
    const Trial agreement = trial_of_agreement(recording, finished.front(), finished[i]);
    merge(trial, agreement);
    // A failure that both share is told once.
    if (trial.outcome != Outcome::failed) merge(trial, trial_of(recording, finished[i]));
  }
  return trial;
}

}  // namespace penstock::golden
