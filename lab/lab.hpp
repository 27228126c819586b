// A lab by its name: up, down, status. Every call may be repeated; whatever it finds, running, half up or killed, it puts right.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "lab/enter.hpp"
#include "lab/project.hpp"
#include "lab/report.hpp"
#include "lab/state.hpp"
#include "lab/topology.hpp"

namespace penstock::lab {

struct UpRequest {
  std::string name;
  std::string topology_path;
  Project project;
  Extent extent = Extent::whole;
  OnProgress on_progress{};
};

struct UpReport {
  bool was_running = false;  // with this very topology: nothing was done
  Topology topology;
  std::vector<std::string> notes;
  std::vector<std::string> urls;  // where this machine's forwards are
};

// A lab of that name with another topology, or one that is not whole, is taken down first.
[[nodiscard]] Result<UpReport> up(const UpRequest& request);

// Whether there was anything to take down.
[[nodiscard]] Result<bool> down(const std::string& name);

enum class Condition { down, broken, up };

struct HostStatus {
  std::string name;
  pid_t pid = 0;
  bool is_alive = false;
};

struct Status {
  Condition condition = Condition::down;
  std::string topology_path;
  std::optional<Topology> topology;  // in force
  std::vector<std::string> urls;     // where this machine's forwards are
  std::vector<HostStatus> hosts;
};

[[nodiscard]] Status status(const std::string& name);

// What a command in that host needs; `terminal` is TERM.
[[nodiscard]] Result<Entry> entry_to(const std::string& name, std::string_view host, const Project& project,
                                     const std::string& terminal, std::vector<std::string> argv);

}  // namespace penstock::lab
