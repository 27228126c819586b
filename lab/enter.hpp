// Running a command inside a host.
#pragma once

#include <string>
#include <vector>

#include "base/result.hpp"
#include "lab/process.hpp"

namespace penstock::lab {

struct Entry {
  FileDescriptor init;  // pidfd of the host's pid 1
  std::vector<std::string> argv;
  std::vector<std::string> environment;
  std::string working_folder;  // if the host has it, else /root
};

// Runs the command with this process's own input, output and terminal; gives its exit status. This process ends up in the host's
// namespaces: call it last, or in a child.
[[nodiscard]] Result<int> enter_and_run(const Entry& entry);

// The same with captured output and in a child, for programs.
[[nodiscard]] Result<Outcome> run_inside(const Entry& entry,
                                         std::chrono::milliseconds time_max = std::chrono::seconds(20));

}  // namespace penstock::lab
