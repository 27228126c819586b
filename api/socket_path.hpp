// Where the daemon of the caller's network namespace listens. The namespace's inode names it, so that
// `ip netns exec director ipvsadm -Ln` needs no option.
#pragma once

#include <string>

#include "base/result.hpp"

namespace penstock::api {

// /run/penstock/<inode of this process's network namespace>: socket, lock and state of its daemon.
[[nodiscard]] Result<std::string> runtime_directory();

// The environment's PENSTOCK_SOCKET, otherwise control.sock in the runtime directory.
[[nodiscard]] Result<std::string> control_socket_path();

}  // namespace penstock::api
