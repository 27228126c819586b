// What `ipvsadm -S` writes: a service with its real servers as lines that -R reads. As in ipvsadm 1.31 the thresholds (-x, -y) are not among
// them.
#pragma once

#include <ostream>

#include "api/types.hpp"
#include "cli/ipvsadm_names.hpp"

namespace penstock::cli {

void save_service(std::ostream& out, api::ServiceView view, const AddressText& address);

}  // namespace penstock::cli
