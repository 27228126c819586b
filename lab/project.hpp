// The tree this program was built from. Hosts see it at its own path, live, so that what is built while a lab runs is there at once.
#pragma once

#include <string>
#include <vector>

#include "base/result.hpp"

namespace penstock::lab {

struct Project {
  std::string root;  // the folder that holds lab/topologies
  std::string bin;   // the folder of the built programs, first in the hosts' PATH
};

// From where this program lies, else from the working directory, upwards.
[[nodiscard]] Result<Project> find_project();

[[nodiscard]] std::string default_topology_path(const Project& project);

// All that a process in a host inherits of the outside. `terminal` is TERM, empty for none.
[[nodiscard]] std::vector<std::string> host_environment(const Project& project, const std::string& terminal);
// For the tools that the lab itself uses.
[[nodiscard]] std::vector<std::string> tool_environment();

}  // namespace penstock::lab
