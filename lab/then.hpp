// What a topology wants done once all hosts are ready: its `then` lines.
#pragma once

#include <chrono>
#include <string>

#include "base/result.hpp"
#include "lab/host.hpp"

namespace penstock::lab {

inline constexpr std::chrono::seconds then_time_max{60};  // of one line

// Runs the shell line in the host to its end. What it says goes to the host's log; an exit status but 0 is an error that quotes it.
[[nodiscard]] Result<void> run_then(const RunningHost& host, const std::string& line, const Project& project,
                                    const std::string& log);

}  // namespace penstock::lab
