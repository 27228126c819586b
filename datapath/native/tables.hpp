// A view of the data plane's tables as plain memory: the mapped BPF arrays in the daemon, vectors in the native build.
// It owns nothing. Whoever holds it may read everything; who may write what is said at each member.
#pragma once

#include <span>

#include "datapath/abi/config.hpp"
#include "datapath/abi/connection.hpp"
#include "datapath/abi/interface.hpp"
#include "datapath/abi/reason.hpp"
#include "datapath/abi/server.hpp"
#include "datapath/abi/service.hpp"

namespace penstock {

struct Tables {
  Config config{};
  std::span<ConnectionBucket> connections;  // packet path and sweeper, by compare-and-swap (core/table.hpp)
  std::span<ConnectionBucket> half_open;    // the same; TCP before its handshake completes
  std::span<ServiceBucket> services;        // control plane; the packet path reads
  std::span<RealServer> servers;            // control plane; by slot
  std::span<ServerLoad> loads;              // atomic adds by packet path and sweeper; by slot
  std::span<ServerCounters> counters;       // packet path; [slot * config.cpus + cpu]
  std::span<NextHop> next_hops;             // control plane; by row, row 0 stays unresolved
  std::span<u64> schedules;                 // control plane; cursors: packet path, by atomic add
  std::span<Interface> interfaces;          // control plane; by interface index
  std::span<ReasonCounters> reasons;        // packet path; [cpu]
  VipFilter* vip_filter = nullptr;          // control plane
  Settings* settings = nullptr;             // control plane
};

}  // namespace penstock
