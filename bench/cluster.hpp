// The virtual services and real servers of the measurements, as rows that all directors read.
#pragma once

#include <vector>

#include "control/maps.hpp"

namespace penstock::bench {

inline constexpr u32 servers = 8;
inline constexpr u32 first_server = 1;      // slot; the next hops have the same numbers
inline constexpr u32 service_schedule = 0;  // offset in the pool
inline constexpr u32 established_timeout_s = 900;

// penstockd's default sizes: 64 MiB, a million connections, and 64 Ki half-open ones.
[[nodiscard]] Config bench_config();
[[nodiscard]] inline u32 connections_max(const Config& config) {
  return config.connection_buckets * records_per_bucket;
}

[[nodiscard]] AddressImage vip(Family family);
[[nodiscard]] AddressImage foreign_address(Family family);
inline constexpr u16 service_port = 80;
inline constexpr u16 unserved_port = 81;

// The client's side is a flow's.
[[nodiscard]] FlowKey key_of_flow(u32 flow, Family family, u8 protocol);

// Settings by IPVS's defaults, servers, next hops, the interface, and one round-robin schedule over all servers.
void write_cluster(const Tables& tables, u32 ticks_per_second);
[[nodiscard]] std::vector<ServiceKey> service_keys();
[[nodiscard]] ScheduleRef schedule_ref();
[[nodiscard]] constexpr u32 server_of_turn(std::size_t turn) { return first_server + static_cast<u32>(turn % servers); }

}  // namespace penstock::bench
