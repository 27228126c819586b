// The daemon put together: one thread, one event loop. It starts what the other files of this room are, in an order in which a
// packet path that is already running never sees a table that is not true.
#pragma once

#include "base/result.hpp"
#include "control/log.hpp"
#include "control/options.hpp"

namespace penstock::control {

// Returns at SIGTERM or SIGINT; the data plane goes on.
[[nodiscard]] Result<void> serve(const Options& options, const Log& log);

// Ends the data plane of this network namespace. Error: busy while a daemon runs.
[[nodiscard]] Result<void> unload(const Options& options, const Log& log);

}  // namespace penstock::control
