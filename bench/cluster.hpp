// The virtual services and real servers of the measurements, as rows that all directors read.
#pragma once

#include <vector>

#include "bench/flow_plan.hpp"
#include "control/maps.hpp"

namespace penstock::bench {

inline constexpr u32 service_schedule = 0;  // offset in the pool
inline constexpr u32 established_timeout_s = 900;
inline constexpr u32 fwmark = 7;

// What a director is to serve: one real service under a virtual address, for both families, TCP and UDP.
struct Cluster {
  Method method = Method::direct;
  TunnelType tunnel = TunnelType::ipip;
  const char* scheduler = "rr";
  u32 servers = prepared_servers;
  bool persistent = false;
  u32 mark_rules = 0;  // not 0: the service is a mark's, which the first of so many rules gives
};

// penstockd's default sizes: 64 MiB, a million records.
[[nodiscard]] Config bench_config();
[[nodiscard]] inline u32 connections_max(const Config& config) {
  return config.connection_buckets * records_per_bucket;
}

[[nodiscard]] AddressImage vip(Family family);
[[nodiscard]] AddressImage foreign_address(Family family);
[[nodiscard]] AddressImage server_address(u32 slot);
[[nodiscard]] AddressImage local_address(u32 index);
inline constexpr u16 unserved_port = 81;

// Flows of clients to the virtual address.
struct FlowSet {
  Family family = Family::ipv4;
  u8 protocol = 0;
  u32 client_shift = default_client_shift;
};
[[nodiscard]] FlowKey key_of_flow(const FlowSet& set, u32 flow);

// Everything but the records of services and connections: settings by IPVS's defaults, servers with weights from 1 to 4, next
// hops, the interface, the schedule, marks, local addresses, the filter of addresses.
void write_cluster(const Tables& tables, const Cluster& cluster, u32 ticks_per_second);
// The services' records, without their words.
[[nodiscard]] std::vector<Service> service_records(const Tables& tables, const Cluster& cluster);

}  // namespace penstock::bench
