// A fault as it was found: on what, and what mends it.
#pragma once

#include <string>
#include <vector>

#include "doctor/catalogue.hpp"

namespace penstock::doctor {

struct Finding {
  Fault fault;
  std::string what;                     // one sentence: what is wrong on what
  std::string mend;                     // one sentence; ends with a colon if commands follow
  std::vector<std::string> commands{};  // for a shell, as root

  friend bool operator==(const Finding&, const Finding&) = default;
};

using Findings = std::vector<Finding>;

}  // namespace penstock::doctor
