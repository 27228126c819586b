#include "tests/golden/judge.hpp"

#include <fmt/format.h>
#include <fnmatch.h>

#include <algorithm>
#include <fstream>
#include <sstream>

#include "tests/golden/arrivals.hpp"
#include "tests/golden/compare_frame.hpp"
#include "tests/golden/compare_text.hpp"

namespace penstock::golden {

namespace {

struct StepJudge {
  const StepResult& want;
  const StepResult& got;

  Differences operator()(const SendStep& step) const { return compare_sent(step.frame, want.sent, got.sent); }
  Differences operator()(const SleepStep&) const { return compare_sent({}, want.sent, got.sent); }
  Differences operator()(const SettingStep&) const { return statuses(); }
  Differences operator()(const GuestStep&) const { return {}; }
  Differences operator()(const ReadStep& step) const { return compare_file(step.path, want.output, got.output); }

  Differences operator()(const FloodStep&) const {
    Differences differences;
    for (const auto& [interface, count] : want.counts) {
      const auto found = got.counts.find(interface);
      const std::uint64_t given = found == got.counts.end() ? 0 : found->second;
      if (given == count) continue;
      differences.push_back(
          {fmt::format("{} frames", to_string(interface)), fmt::to_string(count), fmt::to_string(given)});
    }
    return differences;
  }

  Differences operator()(const CommandStep& step) const {
    Differences differences = statuses();
    const auto add = [&differences](Differences more) {
      differences.insert(differences.end(), more.begin(), more.end());
    };
    if (step.lists_connections) {
      add(compare_connections(want.output, got.output));
    } else {
      add(compare_text("stdout", step.command, want.output, got.output));
    }
    add(compare_text("stderr", step.command, want.error, got.error));
    return differences;
  }

 private:
  [[nodiscard]] Differences statuses() const {
    if (want.status == got.status) return {};
    return {{"exit status", fmt::to_string(want.status), fmt::to_string(got.status)}};
  }
};

// The datagram of a fragment that came in, or nothing: "198.51.100.1 10.1.0.100 udp 500".
std::string datagram_of(View frame) {
  const Fields fields = decode_frame(frame);
  if (!fields.contains("ip") || !fields["ip"].contains("off")) return "";
  const Fields& ip = fields["ip"];
  const std::string id = ip.contains("fid") ? ip["fid"].dump() : ip["id"].dump();
  return fmt::format("{} {} {} {}", ip["src"].dump(), ip["dst"].dump(), ip["proto"].dump(), id);
}

// What came in as one datagram's fragments, and what left for it.
struct DatagramFrames {
  std::size_t last_step = 0;
  std::vector<Bytes> in;
  std::vector<Sent> want;
  std::vector<Sent> got;

  [[nodiscard]] bool came_twice() const {
    return std::any_of(in.begin(), in.end(),
                       [this](const Bytes& one) { return std::count(in.begin(), in.end(), one) > 1; });
  }
};

// Every comparable frame as text, sorted.
std::vector<std::string> as_lines(const DatagramFrames& datagram, const std::vector<Sent>& frames) {
  const Fields in = decode_frame(datagram.in.back());
  std::vector<std::string> lines;
  for (const Sent& sent : frames) {
    const Fields fields = decode_frame(sent.frame);
    const Origin origin = is_created(in, fields) ? Origin::created : Origin::forwarded;
    lines.push_back(fmt::format("{} {}", to_string(sent.interface), comparable(fields, origin).dump()));
  }
  std::sort(lines.begin(), lines.end());
  return lines;
}

// A fragment that came twice may leave twice: whoever forwards fragments as they come does not know that it did.
std::vector<std::string> without_repetitions(std::vector<std::string> lines) {
  lines.erase(std::unique(lines.begin(), lines.end()), lines.end());
  return lines;
}

Differences compare_lines(const std::string& where, const std::vector<std::string>& want,
                          const std::vector<std::string>& got) {
  std::vector<std::string> missing;
  std::vector<std::string> surplus;
  std::set_difference(want.begin(), want.end(), got.begin(), got.end(), std::back_inserter(missing));
  std::set_difference(got.begin(), got.end(), want.begin(), want.end(), std::back_inserter(surplus));
  Differences differences;
  for (const auto& line : missing) differences.push_back({where, line, ""});
  for (const auto& line : surplus) differences.push_back({where, "", line});
  return differences;
}

std::vector<std::string> lines_of(const DatagramFrames& datagram, const std::vector<Sent>& frames, bool tunnelled) {
  auto lines = tunnelled ? arrivals(frames) : as_lines(datagram, frames);
  return datagram.came_twice() ? without_repetitions(std::move(lines)) : lines;
}

// IPVS sends a datagram's fragments when the last has come, others as they come: what counts is the set of each datagram, and
// behind a tunnel the datagram that the real server gets. A datagram of which IPVS sent nothing stayed incomplete, and what is
// sent of it is the director's own affair.
void compare_datagrams(const std::map<std::string, DatagramFrames>& datagrams, bool tunnelled,
                       std::map<std::size_t, Differences>& steps) {
  for (const auto& [name, datagram] : datagrams) {
    if (datagram.want.empty()) continue;
    auto differences = compare_lines("fragments of " + name, lines_of(datagram, datagram.want, tunnelled),
                                     lines_of(datagram, datagram.got, tunnelled));
    if (!differences.empty()) steps[datagram.last_step] = std::move(differences);
  }
}

std::map<std::size_t, Differences> compare_steps(const Recording& recording, const std::vector<StepResult>& want,
                                                 const std::vector<StepResult>& got) {
  std::map<std::size_t, Differences> steps;
  std::map<std::string, DatagramFrames> datagrams;
  const bool fragments = recording.has_tag("frag");
  for (std::size_t i = 0; i < std::min(want.size(), got.size()); ++i) {
    const auto* send = std::get_if<SendStep>(&recording.steps[i].action);
    if (const std::string name = fragments && send != nullptr ? datagram_of(send->frame) : ""; !name.empty()) {
      DatagramFrames& datagram = datagrams[name];
      datagram.last_step = i;
      datagram.in.push_back(send->frame);
      datagram.want.insert(datagram.want.end(), want[i].sent.begin(), want[i].sent.end());
      datagram.got.insert(datagram.got.end(), got[i].sent.begin(), got[i].sent.end());
      continue;
    }
    auto differences = std::visit(StepJudge{want[i], got[i]}, recording.steps[i].action);
    if (!differences.empty()) steps[i] = std::move(differences);
  }
  compare_datagrams(datagrams, recording.has_tag("tun"), steps);
  return steps;
}

bool matches(const std::string& glob, const std::string& text) {
  return fnmatch(glob.c_str(), text.c_str(), FNM_NOESCAPE) == 0;
}

bool is_meant(const Deviation& deviation, const Step& step, const Difference& difference) {
  const auto at = deviation.where.find('@');
  if (!matches(deviation.where.substr(0, at), difference.where)) return false;
  if (at == std::string::npos) return true;
  const auto* send = std::get_if<SendStep>(&step.action);
  return send != nullptr && matches(deviation.where.substr(at + 1), send->note);
}

// Takes out the differences that are known, and says which they were.
void forgive(const Recording& recording, const std::vector<Deviation>& deviations, Judgement& judgement) {
  for (const Deviation& deviation : deviations) {
    if (!matches(deviation.recording, recording.name)) continue;
    for (auto& [number, differences] : judgement.steps) {
      const Step& step = recording.steps[number];
      const auto is_known = [&](const Difference& difference) { return is_meant(deviation, step, difference); };
      if (std::erase_if(differences, is_known) == 0) continue;
      judgement.deviations.push_back(fmt::format("step {}: {}", number, deviation.reason));
    }
    std::erase_if(judgement.steps, [](const auto& step) { return step.second.empty(); });
  }
}

}  // namespace

Result<std::vector<Deviation>> load_deviations(const std::filesystem::path& file) {
  std::ifstream stream(file);
  if (!stream) return fail(ErrorCode::io, "reading known deviations " + file.string());
  std::vector<Deviation> deviations;
  for (std::string line; std::getline(stream, line);) {
    if (line.empty() || line.front() == '#') continue;
    std::istringstream words(line);
    Deviation deviation;
    words >> deviation.recording >> deviation.where >> std::ws;
    std::getline(words, deviation.reason);
    if (deviation.reason.empty()) return fail(ErrorCode::protocol, "a known deviation without its reason: " + line);
    deviations.push_back(std::move(deviation));
  }
  return deviations;
}

Judgement judge(const Recording& recording, const Run& run, const std::vector<Deviation>& deviations) {
  std::vector<StepResult> want;
  for (const Step& step : recording.steps) want.push_back(recorded(step));
  Judgement judgement{.steps = compare_steps(recording, want, run.results)};
  forgive(recording, deviations, judgement);
  if (run.broken) {
    judgement.outcome = Outcome::failed;
    judgement.reason = fmt::format("step {}: {}", run.results.size(), run.broken->message);
  } else if (!judgement.steps.empty()) {
    judgement.outcome = Outcome::failed;
  } else if (run.unsupported) {
    judgement.outcome = Outcome::unsupported;
    judgement.reason = fmt::format("step {}: {}", run.unsupported->step, run.unsupported->reason);
  }
  return judgement;
}

Judgement judge_agreement(const Recording& recording, const Run& one, const Run& other) {
  Judgement judgement{.steps = compare_steps(recording, one.results, other.results)};
  if (!judgement.steps.empty()) judgement.outcome = Outcome::failed;
  if (one.results.size() != other.results.size()) {
    judgement.outcome = Outcome::failed;
    judgement.reason =
        fmt::format("one stopped at step {}, the other at step {}", one.results.size(), other.results.size());
  }
  return judgement;
}

}  // namespace penstock::golden
