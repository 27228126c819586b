// What a real server is, as far as its own settings tell. Pure.
#pragma once

#include "base/result.hpp"
#include "doctor/facts.hpp"
#include "doctor/options.hpp"

namespace penstock::doctor {

// `facts`: interfaces and addresses. Error: not_found, if neither they nor the options name a virtual address and the method needs
// one.
[[nodiscard]] Result<RealServer> guess_real_server(const Options& options, const Facts& facts);

}  // namespace penstock::doctor
