// golden_replay: holds Penstock against recordings of kernel IPVS.
#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <sstream>
#include <string>
#include <vector>

#include "tests/golden/report.hpp"
#include "tests/golden/suite.hpp"

namespace penstock::golden {
namespace {

constexpr const char* usage =
    "usage: golden_replay [--native | --bpf | --tc | --both] [--name GLOB]... [--tags a,b]... [--required FILE] "
    "[--list-failed] PATH...\n"
    "\n"
    "Replays the recordings at each PATH (a file, or a folder of *.json) and compares.\n"
    "  --native       the data plane's native build\n"
    "  --bpf          the XDP program, by test runs in the kernel (needs root)\n"
    "  --tc           the TC program, likewise\n"
    "  --both         both, and each against the other (default)\n"
    "  --name GLOB    only recordings with such a name\n"
    "  --tags a,b     only recordings with one of these tags\n"
    "  --required FILE  only recordings named by a glob of FILE, and none of them may be unsupported\n"
    "  --list-failed  print nothing but the names of those that failed\n"
    "\n"
    "Exit status: 0 all passed or unsupported, 1 some failed, 2 nothing could be said, 77 BPF programs can't be loaded "
    "here.\n";

struct Options {
  Mode mode = Mode::both;
  std::vector<std::string> names;
  std::vector<std::string> tags;
  std::string required;
  bool list_failed = false;
  std::vector<std::filesystem::path> paths;
};

constexpr int failed_status = 1;
constexpr int unable_status = 2;
constexpr int skipped_status = 77;  // what test runners take for "skipped"

Result<Options> parse(const std::vector<std::string>& arguments) {
  Options options;
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    const std::string& argument = arguments[i];
    const bool takes_value = argument == "--name" || argument == "--tags" || argument == "--required";
    if (takes_value && i + 1 == arguments.size()) return fail(ErrorCode::invalid_argument, argument + " wants a value");
    if (argument == "--native") {
      options.mode = Mode::native;
    } else if (argument == "--bpf") {
      options.mode = Mode::bpf;
    } else if (argument == "--tc") {
      options.mode = Mode::tc;
    } else if (argument == "--both") {
      options.mode = Mode::both;
    } else if (argument == "--list-failed") {
      options.list_failed = true;
    } else if (argument == "--name") {
      options.names.push_back(arguments[++i]);
    } else if (argument == "--tags") {
      std::istringstream list(arguments[++i]);
      for (std::string tag; std::getline(list, tag, ',');) options.tags.push_back(tag);
    } else if (argument == "--required") {
      options.required = arguments[++i];
    } else if (argument.starts_with("-")) {
      return fail(ErrorCode::invalid_argument, "unknown option " + argument);
    } else {
      options.paths.emplace_back(argument);
    }
  }
  if (options.paths.empty()) return fail(ErrorCode::invalid_argument, "no recordings were named");
  return options;
}

int complain(const Error& error) {
  const bool not_allowed = error.code == ErrorCode::permission_denied;
  fmt::print(stderr, "golden_replay: {}{}\n", not_allowed ? "SKIPPED, nothing was compared: " : "", error.message);
  return not_allowed ? skipped_status : unable_status;
}

void print_trial(const Recording& recording, const Trial& trial, bool list_failed) {
  if (list_failed) {
    if (trial.outcome == Outcome::failed) fmt::print("{}\n", recording.name);
    return;
  }
  if (trial.outcome == Outcome::failed)
    fmt::print("FAILED {}: {}\n{}\n", recording.name, recording.description, trial.report);
  if (trial.outcome == Outcome::unsupported) fmt::print("unsupported {}: {}\n", recording.name, trial.report);
  for (const auto& deviation : trial.deviations) fmt::print("known deviation {}: {}\n", recording.name, deviation);
}

int replay_all(const Options& options) {
  const auto suite = load_suite(options.paths);
  if (!suite) return complain(suite.error());
  std::vector<std::string> required;
  if (!options.required.empty()) {
    const auto globs = load_globs(options.required);
    if (!globs) return complain(globs.error());
    required = *globs;
  }

  const auto directors = make_directors(options.mode);
  if (!directors) return complain(directors.error());
  std::vector<Verdicted> verdicts;
  for (const Recording& recording : suite->recordings) {
    if (!is_selected(recording, options.names, options.tags) || !is_selected(recording, required, {})) continue;
    auto trial = try_recording(*suite, recording, *directors);
    if (!trial) return complain(trial.error());
    if (!required.empty()) demand_support(*trial);
    print_trial(recording, *trial, options.list_failed);
    verdicts.push_back({recording.name, recording.tags, trial->outcome, trial->report});
  }
  if (verdicts.empty()) return complain({ErrorCode::not_found, "no recording was selected"});
  if (!options.list_failed) fmt::print("{}", print_table(verdicts));
  const bool failed =
      std::any_of(verdicts.begin(), verdicts.end(), [](const auto& one) { return one.outcome == Outcome::failed; });
  return failed ? failed_status : 0;
}

}  // namespace
}  // namespace penstock::golden

int main(int argc, char** argv) {
  const auto options = penstock::golden::parse({argv + 1, argv + argc});
  if (!options) {
    fmt::print(stderr, "golden_replay: {}\n{}", options.error().message, penstock::golden::usage);
    return penstock::golden::unable_status;
  }
  return penstock::golden::replay_all(*options);
}
