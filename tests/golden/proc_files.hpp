// What kernel IPVS shows in /proc/net, printed from a director's views.
#pragma once

#include <string>
#include <vector>

#include "tests/golden/subject.hpp"

namespace penstock::golden {

// /proc/net/ip_vs: the services in any order, the servers as the director lists them. Lines of hexadecimal addresses.
[[nodiscard]] std::string print_proc_services(const std::vector<api::ServiceView>& services, const api::Info& info);
// /proc/net/ip_vs_stats
[[nodiscard]] std::string print_proc_stats(const Totals& totals);

}  // namespace penstock::golden
