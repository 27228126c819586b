// The commands of a recording, given to the very code that is the ipvsadm program.
#pragma once

#include <string>
#include <vector>

#include "api/director.hpp"
#include "base/result.hpp"
#include "tests/golden/run.hpp"

namespace penstock::golden {

[[nodiscard]] std::vector<std::string> split_command(const std::string& line);

// "ipvsadm" and its arguments. ErrorCode::unsupported for the synchronisation daemon, which a director cannot be asked for.
[[nodiscard]] Result<StepResult> run_ipvsadm(const std::vector<std::string>& words, const std::string& input,
                                             api::Director& director);

}  // namespace penstock::golden
