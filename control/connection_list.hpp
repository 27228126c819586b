// What stands in the tables of connections, one by one (ipvsadm -Lc). The packet path goes on meanwhile: a connection that is
// made or ends during the walk may be shown or not; one that is shown is whole.
#pragma once

#include <functional>

#include "api/types.hpp"
#include "datapath/native/tables.hpp"

namespace penstock::control {

// `now` in ticks. Expired connections are not there, whether or not they have been swept.
void list_connections(const Tables& tables, u32 now, const std::function<void(const api::ConnectionView&)>& each);

}  // namespace penstock::control
