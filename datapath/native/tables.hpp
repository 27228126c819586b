// A view of the data plane's tables as plain memory: the mapped BPF arrays in the daemon, vectors in the native build.
// It owns nothing. Whoever holds it may read everything; who may write what is said at each member.
#pragma once

#include <span>

#include "datapath/abi/config.hpp"
#include "datapath/abi/connection.hpp"
#include "datapath/abi/interface.hpp"
#include "datapath/abi/local.hpp"
#include "datapath/abi/mark.hpp"
#include "datapath/abi/own.hpp"
#include "datapath/abi/punt.hpp"
#include "datapath/abi/reason.hpp"
#include "datapath/abi/server.hpp"
#include "datapath/abi/service.hpp"
#include "datapath/abi/shared.hpp"

namespace penstock {

// One of the tables of records, as core/table.hpp wants it.
template <typename Record>
struct TableView {
  std::span<Bucket<Record>> buckets;
  std::span<u64> all_tags;

  [[nodiscard]] Bucket<Record>* bucket(u32 index) const { return index < buckets.size() ? &buckets[index] : nullptr; }
  [[nodiscard]] u64* tags(u32 index) const { return index < all_tags.size() ? &all_tags[index] : nullptr; }
};

struct Tables {
  Config config{};
  std::span<ConnectionBucket> connections;  // packet path and sweeper, by compare-and-swap (core/table.hpp)
  std::span<ServiceBucket> services;        // control plane; the packet path reads
  std::span<u64> connection_tags;           // with their buckets: a byte for each record (core/tag_bytes.hpp)
  std::span<u64> service_tags;
  std::span<RealServer> servers;        // control plane; by slot
  std::span<ServerLoad> loads;          // atomic adds by packet path and sweeper; by slot
  std::span<ServerCounters> counters;   // packet path; [slot * config.cpus + cpu]
  std::span<NextHop> next_hops;         // control plane; by row, row 0 stays unresolved
  std::span<u64> schedules;             // control plane; cursors: packet path, by atomic add
  std::span<Interface> interfaces;      // control plane; by interface index
  std::span<ReasonCounters> reasons;    // packet path; [cpu]
  std::span<PuntedFrame> punted;        // packet path fills, daemon empties; by compare-and-swap of the word
  VipFilter* vip_filter = nullptr;      // control plane
  Settings* settings = nullptr;         // control plane
  MarkRules* mark_rules = nullptr;      // control plane
  OwnPrefixes* own_prefixes = nullptr;  // control plane
  LocalPool* local_pool = nullptr;      // control plane
  SharedState* shared = nullptr;        // packet path

  [[nodiscard]] TableView<Connection> connection_table() const { return {connections, connection_tags}; }
  [[nodiscard]] TableView<Service> service_table() const { return {services, service_tags}; }
};

}  // namespace penstock
