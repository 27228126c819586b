// Which network namespace this process is in. The inode names it in paths, but the kernel gives the inode of a dead namespace
// to a new one; the cookie is never given twice until the machine boots again.
#pragma once

#include "base/result.hpp"
#include "datapath/abi/types.hpp"

namespace penstock::control {

struct NetworkNamespace {
  u64 inode = 0;
  u64 cookie = 0;
};

[[nodiscard]] Result<NetworkNamespace> own_network_namespace();

}  // namespace penstock::control
