// `penstock setting`: IPVS's sysctls and ours, with the words of sysctl(8) where there are any.
#pragma once

#include "cli/penstock_console.hpp"

namespace penstock::cli {

// `words`: those after `penstock setting`.
[[nodiscard]] int run_setting(const Words& words, const Console& console);

}  // namespace penstock::cli
