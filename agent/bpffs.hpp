// Where links to cgroups are pinned: /sys/fs/bpf/penstock-realserver/<inode of the network namespace>/NAME.
#pragma once

#include <string>

#include "base/result.hpp"

namespace penstock::agent {

// Mounts the BPF file system if nobody has. A process with mounts of its own, as under `ip netns exec`, is given the first
// process' one, where pins last.
[[nodiscard]] Result<std::string> pin_path(const std::string& name);

}  // namespace penstock::agent
