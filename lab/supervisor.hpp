// The process that holds a lab: parent of all pid 1s, keeper of the XDP links. It restarts nothing; when it ends, all ends.
#pragma once

#include <string>

#include "base/result.hpp"
#include "lab/host.hpp"
#include "lab/report.hpp"
#include "lab/state.hpp"

namespace penstock::lab {

struct SupervisorPlan {
  const Topology& topology;
  const Project& project;
  const LabFolder& folder;
  Extent extent = Extent::whole;
  const FileDescriptor&
      lock;  // the supervisor holds it, too, until it has reported: an interrupted `up` does not let others in early
};

// Starts it away from this process and its terminal, and returns when the lab is ready, with notes for the user.
// On failure the error quotes the log of the host that failed, and nothing runs any more.
[[nodiscard]] Result<std::vector<std::string>> start_supervisor(const SupervisorPlan& plan,
                                                                const OnProgress& on_progress);

}  // namespace penstock::lab
