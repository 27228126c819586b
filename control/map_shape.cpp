#include "control/map_shape.hpp"

#include "datapath/abi/interface.hpp"
#include "datapath/abi/local.hpp"
#include "datapath/abi/mark.hpp"
#include "datapath/abi/own.hpp"
#include "datapath/abi/punt.hpp"
#include "datapath/abi/reason.hpp"
#include "datapath/abi/server.hpp"
#include "datapath/abi/service.hpp"
#include "datapath/abi/shared.hpp"
#include "datapath/core/work.hpp"

namespace penstock::control {

std::array<MapShape, map_ids> map_shapes(const Config& config) {
  return {{
      {"connections", sizeof(ConnectionBucket), config.connection_buckets},
      {"services", sizeof(ServiceBucket), config.service_buckets},
      {"connection_tags", sizeof(u64), config.connection_buckets},
      {"service_tags", sizeof(u64), config.service_buckets},
      {"servers", sizeof(RealServer), config.servers_max},
      {"loads", sizeof(ServerLoad), config.servers_max},
      {"counters", sizeof(ServerCounters), config.servers_max * config.cpus},
      {"next_hops", sizeof(NextHop), config.next_hops_max},
      {"schedules", sizeof(u64), config.schedule_cells},
      {"interfaces", sizeof(Interfaces), 1},
      {"vip_filter", sizeof(VipFilter), 1},
      {"settings", sizeof(Settings), 1},
      {"reasons", sizeof(ReasonCounters), config.cpus},
      {"mark_rules", sizeof(MarkRules), 1},
      {"own_prefixes", sizeof(OwnPrefixes), 1},
      {"local_pool", sizeof(LocalPool), 1},
      {"shared", sizeof(SharedState), 1},
      {"punted", sizeof(PuntedFrame), punted_max},
      {"works", sizeof(Work), config.cpus},
  }};
}

}  // namespace penstock::control
