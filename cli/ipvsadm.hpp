// The ipvsadm program as a function: ipvsadm 1.31's grammar, output, error texts and exit codes over a Director. It never calls exit().
//
// Exit codes: 0 done; 1 `-L` of one service that is missing; 2 ipvsadm's own refusals; 255 the director's refusals, what popt
// could not parse, and what Penstock does not have.
#pragma once

#include <functional>
#include <istream>
#include <ostream>
#include <string>
#include <vector>

#include "api/director.hpp"
#include "base/result.hpp"
#include "cli/names.hpp"

namespace penstock::cli {

// Gives the director to the first command that needs one: help, version and lines that do not parse need none. What it points to
// outlives the call of run_ipvsadm.
using DirectorSource = std::function<Result<api::Director*>()>;

// args[0] is the program's name, as in main. `in` is read by -R alone.
[[nodiscard]] int run_ipvsadm(const std::vector<std::string>& args, std::istream& in, std::ostream& out,
                              std::ostream& err, const DirectorSource& director, const Names& names = system_names());

[[nodiscard]] int run_ipvsadm(const std::vector<std::string>& args, std::istream& in, std::ostream& out,
                              std::ostream& err, api::Director& director, const Names& names = system_names());

}  // namespace penstock::cli
