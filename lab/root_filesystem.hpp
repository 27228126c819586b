// A host's root: a copy-on-write view of the machine's, so that every program is there and nothing is ever written to it.
//
// An overlay does not reliably see what appears in its lower tree later: what changes while a lab runs (the build) is bound in.
#pragma once

#include <string>

#include "base/result.hpp"
#include "lab/project.hpp"

namespace penstock::lab {

// Called by a new process in a mount, network and pid namespace of its own. `staging`: an empty folder to mount on.
[[nodiscard]] Result<void> enter_own_root(const std::string& staging, const Project& project);

}  // namespace penstock::lab
