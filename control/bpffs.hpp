// The BPF file system in which pins outlive the daemon.
#pragma once

#include <string>

#include "base/result.hpp"

namespace penstock::control {

// Its mount point: /sys/fs/bpf, mounted if need be. In a mount namespace of its own, which `ip netns exec` makes, that
// directory would vanish with the process and take the data plane along: then it is the one of the machine's first process.
[[nodiscard]] Result<std::string> find_bpffs();

// Refuses a directory that is no BPF file system.
[[nodiscard]] Result<void> check_bpffs(const std::string& directory);

}  // namespace penstock::control
