// The director's own addresses as the packet path reads them (datapath/abi/own.hpp).
#pragma once

#include <vector>

#include "datapath/abi/own.hpp"
#include "model/prefix.hpp"

namespace penstock::control {

// Changed under the eyes of the packet path: while it changes an address may be missed. Those beyond the table are left out.
void write_own_prefixes(OwnPrefixes& table, const std::vector<model::Prefix>& prefixes);

}  // namespace penstock::control
