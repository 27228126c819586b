#include <fmt/format.h>

#include "bench/tables.hpp"

namespace penstock::bench {
namespace {

constexpr u32 flood = 10'000'000;

const PacketCase& the_flood() {
  static const PacketCase which{.name = "SYN flood", .traffic = Traffic::fresh_clients, .connections = quarter};
  return which;
}

}  // namespace

void print_flood(Session& session) {
  const PacketCase& which = the_flood();
  if (!session.wants(which.name)) return;
  const std::unique_ptr<PenstockDirector> director = penstock_director();
  director->serve(which.cluster);
  director->establish(prepared_flows(which), which.connections);
  const u64 refused = director->counted(Reason::connection_table_full);
  const u64 stateless = director->counted(Reason::stateless);
  const double ns = measure_once(session.driver, *director, which, flood);
  fmt::print(
      "\nSYN flood: {} packets from as many clients, {:.0f} ns each; {} without a record, {} dropped; "
      "of {} established connections {} stand\n",
      flood, ns, director->counted(Reason::stateless) - stateless,
      director->counted(Reason::connection_table_full) - refused, which.connections,
      director->established(prepared_flows(which), which.connections));
}

}  // namespace penstock::bench
