// Looks at this host, and asks its neighbours: all facts that the rules want. Root only.
#pragma once

#include "base/result.hpp"
#include "doctor/facts.hpp"
#include "doctor/options.hpp"

namespace penstock::doctor {

// Takes about as long as the options say, two seconds more if hosts are silent.
[[nodiscard]] Result<Facts> look(const Options& options);

}  // namespace penstock::doctor
