#include "tests/golden/recording.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <nlohmann/json.hpp>
#include <stdexcept>

#include "tests/golden/frame.hpp"

namespace penstock::golden {

namespace {

using Json = nlohmann::json;

// What the library and the readers below throw stops in read_recording().
Bytes bytes_of(const Json& value) {
  const auto& text = value.get_ref<const std::string&>();
  if (text.size() % 2 != 0) throw std::invalid_argument("odd number of hex digits");
  Bytes bytes;
  for (std::size_t at = 0; at < text.size(); at += 2) {
    bytes.push_back(static_cast<std::uint8_t>(std::stoul(text.substr(at, 2), nullptr, 16)));
  }
  return bytes;
}

Interface interface_of(const std::string& name) {
  const auto interface = parse_interface(name);
  if (!interface) throw std::invalid_argument("interface " + name);
  return *interface;
}

std::vector<Sent> sent_of(const Json& step) {
  std::vector<Sent> out;
  for (const Json& one : step.value("out", Json::array())) {
    out.push_back({.interface = interface_of(one.at("if")), .frame = bytes_of(one.at("hex"))});
  }
  return out;
}

std::chrono::milliseconds milliseconds_of(const Json& seconds) {
  return std::chrono::milliseconds(std::llround(seconds.get<double>() * 1000));
}

SendStep send_of(const Json& step) {
  return {.in = interface_of(step.at("in")),
          .frame = bytes_of(step.at("in_hex")),
          .note = step.value("note", ""),
          .out = sent_of(step)};
}

CommandStep command_of(const Json& step) {
  const Json& input = step.contains("stdin") ? step.at("stdin") : Json("");
  return {.command = step.at("cmd"),
          .input = input.is_null() ? "" : input.get<std::string>(),
          .status = step.at("rc"),
          .output = step.at("stdout"),
          .error = step.at("stderr"),
          .lists_connections = step.contains("conns")};
}

FloodStep flood_of(const Json& step) {
  FloodStep flood{
      .in = interface_of(step.at("in")), .frame = bytes_of(step.at("in_hex")), .times = step.at("n"), .out_count = {}};
  for (const auto& [name, count] : step.at("out_count").items()) flood.out_count[interface_of(name)] = count;
  return flood;
}

Step step_of(const Json& step) {
  const auto at = milliseconds_of(step.at("t"));
  const std::string op = step.at("op");
  if (op == "send") return {.at = at, .action = send_of(step)};
  if (op == "cmd") return {.at = at, .action = command_of(step)};
  if (op == "sleep") return {.at = at, .action = SleepStep{milliseconds_of(step.at("s")), sent_of(step)}};
  if (op == "sysctl") {
    const Json& value = step.at("v");
    return {.at = at,
            .action =
                SettingStep{step.at("k"), value.is_string() ? value.get<std::string>() : value.dump(), step.at("rc")}};
  }
  if (op == "guest") return {.at = at, .action = GuestStep{step.at("cmd")}};
  if (op == "flood") return {.at = at, .action = flood_of(step)};
  if (op == "read") return {.at = at, .action = ReadStep{step.at("path"), step.at("stdout")}};
  throw std::invalid_argument("step " + op);
}

Recording recording_of(const Json& json) {
  Recording recording{.name = json.at("name"), .description = json.at("desc"), .tags = json.at("tags"), .steps = {}};
  for (const Json& step : json.at("steps")) recording.steps.push_back(step_of(step));
  return recording;
}

struct Title {
  std::string operator()(const SendStep& step) const {
    const std::string frame = fmt::format("send {}: {}", to_string(step.in), describe(decode_frame(step.frame)));
    return step.note.empty() ? frame : frame + "  # " + step.note;
  }
  std::string operator()(const CommandStep& step) const { return step.command; }
  std::string operator()(const SleepStep& step) const { return fmt::format("sleep {} ms", step.duration.count()); }
  std::string operator()(const SettingStep& step) const { return step.name + "=" + step.value; }
  std::string operator()(const GuestStep& step) const { return step.command; }
  std::string operator()(const FloodStep& step) const {
    return fmt::format("{} times {}: {}", step.times, to_string(step.in), describe(decode_frame(step.frame)));
  }
  std::string operator()(const ReadStep& step) const { return "cat " + step.path; }
};

}  // namespace

bool Recording::has_tag(std::string_view tag) const { return std::find(tags.begin(), tags.end(), tag) != tags.end(); }

std::string title(const Step& step) { return std::visit(Title{}, step.action); }

Result<Recording> load_recording(const std::filesystem::path& file) {
  std::ifstream stream(file);
  if (!stream) return fail(ErrorCode::io, "reading recording " + file.string());
  try {
    return recording_of(Json::parse(stream));
  } catch (const std::exception& error) {
    return fail(ErrorCode::protocol, fmt::format("reading recording {}: {}", file.string(), error.what()));
  }
}

Result<std::vector<Recording>> load_recordings(const std::filesystem::path& path) {
  std::vector<std::filesystem::path> files;
  std::error_code error;
  if (std::filesystem::is_directory(path, error)) {
    for (const auto& entry : std::filesystem::directory_iterator(path, error)) {
      if (entry.path().extension() == ".json") files.push_back(entry.path());
    }
    std::sort(files.begin(), files.end());
  } else {
    files.push_back(path);
  }
  std::vector<Recording> recordings;
  for (const auto& file : files) {
    auto recording = load_recording(file);
    if (!recording) return tl::unexpected(recording.error());
    recordings.push_back(std::move(*recording));
  }
  return recordings;
}

}  // namespace penstock::golden
