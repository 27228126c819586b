// A recording of kernel IPVS, as data: the steps that were taken and what came of each.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <variant>
#include <vector>

#include "base/result.hpp"
#include "tests/golden/topology.hpp"
#include "tests/golden/wire.hpp"

namespace penstock::golden {

struct Sent {
  Interface interface = Interface::eth0;
  Bytes frame;

  friend bool operator==(const Sent&, const Sent&) = default;
};

struct SendStep {
  Interface in = Interface::eth0;
  Bytes frame;
  std::string note;
  std::vector<Sent> out;  // empty: nothing came out
};

struct CommandStep {
  std::string command;  // a shell's line
  std::string input;
  int status = 0;
  std::string output;
  std::string error;
  bool lists_connections = false;  // output is a listing of connections, whose order and expiry are free
};

struct SleepStep {
  std::chrono::milliseconds duration{};
  std::vector<Sent> out;
};

struct SettingStep {
  std::string name;  // "net.ipv4.vs.sloppy_tcp"
  std::string value;
  int status = 0;
};

// Something of the director's machine that is not LVS: a firewall mark, an MTU, a module.
struct GuestStep {
  std::string command;
};

struct FloodStep {
  Interface in = Interface::eth0;
  Bytes frame;
  std::uint64_t times = 0;
  std::map<Interface, std::uint64_t> out_count;
};

struct ReadStep {
  std::string path;
  std::string output;
};

struct Step {
  std::chrono::milliseconds at{};  // since the recording began
  std::variant<SendStep, CommandStep, SleepStep, SettingStep, GuestStep, FloodStep, ReadStep> action;
};

struct Recording {
  std::string name;
  std::string description;
  std::vector<std::string> tags;
  std::vector<Step> steps;

  [[nodiscard]] bool has_tag(std::string_view tag) const;
};

// What the step was, in one line: its command, or its frame and note.
[[nodiscard]] std::string title(const Step& step);

[[nodiscard]] Result<Recording> load_recording(const std::filesystem::path& file);
// The recordings at `path`: a file, or all *.json of a directory, by name.
[[nodiscard]] Result<std::vector<Recording>> load_recordings(const std::filesystem::path& path);

}  // namespace penstock::golden
