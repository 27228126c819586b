// /proc/net/ip_vs_stats as the kernel prints it: hexadecimal, totals and rates of all services.
#pragma once

#include <string>

#include "tests/golden/subject.hpp"

namespace penstock::golden {

[[nodiscard]] std::string print_proc_stats(const Totals& totals);

}  // namespace penstock::golden
