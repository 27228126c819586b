// The program `penstock` as a function, but for `lab`, `realserver` and `doctor`, which are programs of their own (penstock_main.cpp).
#pragma once

#include <functional>
#include <ostream>
#include <string>
#include <vector>

#include "api/director.hpp"
#include "base/result.hpp"

namespace penstock::cli {

// args[0] is the program's name. Exit codes: 0 done, 1 the director failed, 2 not understood.
[[nodiscard]] int run_penstock(const std::vector<std::string>& args, std::ostream& out, std::ostream& err,
                               const std::function<Result<api::Director*>()>& director);

}  // namespace penstock::cli
