// What runs on a host: its page server, its set-up lines and its daemons. Called by the host's own pid 1.
#pragma once

#include <string>
#include <vector>

#include "base/result.hpp"
#include "lab/topology.hpp"

namespace penstock::lab {

// nginx's whole configuration: one worker, no access log, the host's name in X-Lab-Host. Pure.
[[nodiscard]] std::string nginx_configuration(const Host& host, bool with_ipv6);

// Returns when all of them answer. Notes are what the user should know: a daemon that is not built yet.
[[nodiscard]] Result<std::vector<std::string>> start_services(const Host& host,
                                                              const std::vector<std::string>& environment);

}  // namespace penstock::lab
