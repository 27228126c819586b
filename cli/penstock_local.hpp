// `penstock local`: the director's addresses that fullnat connects from.
#pragma once

#include "cli/penstock_console.hpp"

namespace penstock::cli {

// `words`: those after `penstock local`.
[[nodiscard]] int run_local(const Words& words, const Console& console);

}  // namespace penstock::cli
