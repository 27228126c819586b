#include "tests/golden/report.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <map>

#include "tests/golden/frame.hpp"

namespace penstock::golden {

namespace {

using Row = std::pair<std::string, std::string>;  // "ip.ttl", "63"

void flatten(const std::string& place, const Fields& fields, std::vector<Row>& rows) {
  if (!fields.is_object()) {
    rows.emplace_back(place, fields.is_string() ? fields.get<std::string>() : fields.dump());
    return;
  }
  for (const auto& [name, value] : fields.items()) flatten(place.empty() ? name : place + "." + name, value, rows);
}

std::vector<Row> rows_of(const Sent* sent) {
  std::vector<Row> rows;
  if (sent != nullptr) flatten("", decode_frame(sent->frame), rows);
  return rows;
}

const std::string* value_at(const std::vector<Row>& rows, const std::string& place) {
  const auto row = std::find_if(rows.begin(), rows.end(), [&](const Row& one) { return one.first == place; });
  return row == rows.end() ? nullptr : &row->second;
}

bool is_marked(const Differences& differences, const std::string& where) {
  return std::any_of(differences.begin(), differences.end(), [&](const Difference& difference) {
    return difference.where == where || where.starts_with(difference.where + ".");
  });
}

const Sent* nth(const std::vector<Sent>& frames, Interface interface, std::size_t index) {
  for (const Sent& sent : frames) {
    if (sent.interface == interface && index-- == 0) return &sent;
  }
  return nullptr;
}

struct Sides {
  std::string_view left;
  std::string_view right;
};

std::string print_frames(const std::string& where, const Sent* want, const Sent* got, const Differences& differences,
                         const Sides& sides) {
  const auto left = rows_of(want);
  const auto right = rows_of(got);
  std::vector<std::string> places;
  for (const auto& [place, value] : left) places.push_back(place);
  for (const auto& [place, value] : right) {
    if (value_at(left, place) == nullptr) places.push_back(place);
  }
  std::string text =
      fmt::format("    {:<24}   {:<40} {}\n", where, want == nullptr ? fmt::format("{}: none", sides.left) : sides.left,
                  got == nullptr ? fmt::format("{}: none", sides.right) : sides.right);
  for (const auto& place : places) {
    const auto* a = value_at(left, place);
    const auto* b = value_at(right, place);
    const char mark = is_marked(differences, where + "." + place) ? '!' : ' ';
    text += fmt::format("    {} {:<22}   {:<40} {}\n", mark, place, a == nullptr ? "-" : *a, b == nullptr ? "-" : *b);
  }
  return text;
}

std::string print_difference(const Difference& difference) {
  std::string text = fmt::format("    {}\n", difference.where);
  if (!difference.want.empty() || difference.got.empty()) text += fmt::format("      - {}\n", difference.want);
  if (!difference.got.empty() || difference.want.empty()) text += fmt::format("      + {}\n", difference.got);
  return text;
}

// "eth1[0].ip.ttl" -> "eth1[0]", or nothing where the difference is not in a frame.
std::string frame_of(const Difference& difference) {
  const auto bracket = difference.where.find(']');
  return bracket == std::string::npos || !difference.where.starts_with("eth") ? ""
                                                                              : difference.where.substr(0, bracket + 1);
}

std::string print_step(const StepResult& want, const StepResult& got, const Differences& differences,
                       const Sides& sides) {
  std::string text;
  std::string last_frame;
  for (const Difference& difference : differences) {
    const std::string frame = frame_of(difference);
    if (frame.empty() || difference.where.ends_with(".bytes")) {
      text += print_difference(difference);
    } else if (frame != last_frame) {
      const auto interface = parse_interface(frame.substr(0, frame.find('['))).value_or(Interface::eth0);
      const std::size_t index = std::stoul(frame.substr(frame.find('[') + 1));
      text +=
          print_frames(frame, nth(want.sent, interface, index), nth(got.sent, interface, index), differences, sides);
    }
    last_frame = frame;
  }
  return text;
}

std::string without_step(const std::string& reason) {
  const auto colon = reason.find(": ");
  return reason.starts_with("step ") && colon != std::string::npos ? reason.substr(colon + 2) : reason;
}

std::string print_reasons(const std::vector<Verdicted>& recordings) {
  std::map<std::string, std::vector<std::string>> by_reason;
  for (const Verdicted& recording : recordings) {
    if (recording.outcome == Outcome::unsupported) by_reason[without_step(recording.reason)].push_back(recording.name);
  }
  std::string text;
  for (const auto& [reason, names] : by_reason) {
    text += fmt::format("skipped for \"{}\": {}\n", reason, fmt::join(names, " "));
  }
  return text;
}

}  // namespace

std::string print_differences(const Recording& recording, const Judgement& judgement,
                              const std::vector<StepResult>& want, const Run& got, std::string_view left,
                              std::string_view right) {
  std::string text;
  for (const auto& [number, differences] : judgement.steps) {
    text += fmt::format("  step {}: {}\n", number, title(recording.steps[number]));
    text += print_step(want[number], got.results[number], differences, {left, right});
  }
  if (!judgement.reason.empty()) text += fmt::format("  {}\n", judgement.reason);
  return text;
}

std::string print_table(const std::vector<Verdicted>& recordings) {
  using Counts = std::array<std::size_t, 3>;  // by Outcome
  std::map<std::string, Counts> by_tag;
  Counts all{};
  for (const Verdicted& recording : recordings) {
    const auto column = static_cast<std::size_t>(recording.outcome);
    ++all[column];
    for (const auto& tag : recording.tags) ++by_tag[tag][column];
  }
  std::string text = fmt::format("{:<20} {:>8} {:>8} {:>12}\n", "tag", "passed", "failed", "unsupported");
  for (const auto& [tag, counts] : by_tag) {
    text += fmt::format("{:<20} {:>8} {:>8} {:>12}\n", tag, counts[0], counts[1], counts[2]);
  }
  text += print_reasons(recordings);
  text += fmt::format("{} passed, {} failed, {} skipped\n", all[0], all[1], all[2]);
  return text;
}

}  // namespace penstock::golden
