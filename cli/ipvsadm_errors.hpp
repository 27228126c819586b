// ipvsadm's words for what the director refused. The same errno means different things to different commands: ESRCH is "No such service"
// to -D and "Service not defined" to -a.
#pragma once

#include <string>

#include "base/error.hpp"
#include "cli/ipvsadm_options.hpp"

namespace penstock::cli {

// IPVS's refusals in ipvsadm's words; all others (what Penstock does not have, a daemon that is not there) in the error's own.
[[nodiscard]] std::string words_of(Verb verb, const Error& error);

// Whether the refusal is one that IPVS would make, too: those carry its errno. Others of these codes are Penstock's own rules.
[[nodiscard]] bool is_refusal_of_ipvs(const Error& error);
// Whether the director understood and refused by what it does not have or by a rule of its own.
[[nodiscard]] bool is_refusal_of_penstock(const Error& error);

}  // namespace penstock::cli
