// Errors of bpf() and netlink calls, with the missing capability named.
#pragma once

#include <string_view>

#include "base/result.hpp"

namespace penstock::control {

[[nodiscard]] tl::unexpected<Error> fail_privileged(std::string_view tried, int errno_value);

}  // namespace penstock::control
