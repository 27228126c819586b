// What `ipvsadm -Lc` prints: one line for each connection, in the director's order.
#pragma once

#include <ostream>

#include "api/types.hpp"
#include "cli/ipvsadm_names.hpp"

namespace penstock::cli {

// Columns of a persistence engine's key, with --persistent-conn; no connection has one yet.
enum class EngineColumns { hidden, shown };

void print_connection_header(std::ostream& out, EngineColumns engine);
void print_connection(std::ostream& out, const api::ConnectionView& connection, const AddressText& address);

}  // namespace penstock::cli
