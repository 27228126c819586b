// Which network namespace this process is in.
#pragma once

#include <cstdint>

#include "base/result.hpp"

namespace penstock::agent {

// Unlike the inode, which the kernel gives to another namespace some day, it is not given twice until the machine boots again.
[[nodiscard]] Result<std::uint64_t> namespace_cookie();

}  // namespace penstock::agent
