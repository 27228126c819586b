// The tree this program was built from. Hosts see it at its own path, live, so that what is built while a lab runs is there at once.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"

namespace penstock::lab {

struct Project {
  std::string root;  // the folder that holds lab/topologies: the tree, or PREFIX/share/penstock where it is installed
  std::string bin;   // the folder of the built programs, first in the hosts' PATH
};

// From where this program lies, else from the working directory, upwards.
[[nodiscard]] Result<Project> find_project();

// What `up` takes without a name.
inline constexpr std::string_view default_topology = "direct";

// The names of the topologies that come with the project, sorted: nat for lab/topologies/nat.conf.
[[nodiscard]] std::vector<std::string> topology_names(const Project& project);
// The file of a topology: one that comes with the project by its name, any other by a path that has a slash.
[[nodiscard]] Result<std::string> topology_path(const Project& project, const std::string& name);

// All that a process in a host inherits of the outside. `terminal` is TERM, empty for none.
[[nodiscard]] std::vector<std::string> host_environment(const Project& project, const std::string& terminal);
// For the tools that the lab itself uses.
[[nodiscard]] std::vector<std::string> tool_environment();

}  // namespace penstock::lab
