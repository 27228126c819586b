// The order in which ipvsadm lists. Its comparison is by 32-bit differences read as signed, which is no order at all: 10.0.0.1 comes
// before 100.0.0.1, that before 203.0.113.1, and that before 10.0.0.1. Tools that compare listings see what comes of it, so the
// comparison and the way of sorting (top-down merging) are ipvsadm's.
#pragma once

#include <vector>

#include "api/types.hpp"

namespace penstock::cli {

void sort_services(std::vector<api::ServiceView>& services);
void sort_servers(std::vector<api::ServerView>& servers);

}  // namespace penstock::cli
