// What the doctor says: for people, at most 80 columns wide but for words that are longer; for programs, JSON; and the reference of
// all findings.
#pragma once

#include <string>

#include "doctor/facts.hpp"
#include "doctor/finding.hpp"

namespace penstock::doctor {

[[nodiscard]] std::string report_text(const Facts& facts, const Findings& findings);

// {"role": "director", "findings": [{"id", "severity", "what", "mend", "commands": […]}]}, on one line.
[[nodiscard]] std::string report_json(const Facts& facts, const Findings& findings);

// docs/doctor.md
[[nodiscard]] std::string reference_page();

}  // namespace penstock::doctor
