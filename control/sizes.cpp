#include "control/sizes.hpp"

#include <fmt/format.h>

#include <bit>

#include "control/map_shape.hpp"

namespace penstock::control {
namespace {

// Half full at most, so that an insertion that finds no slot is rare (ADR-0003).
constexpr u64 service_slots_for_one = 2;
constexpr u64 servers_rows_max = u64{1} << 16;  // a connection has 16 bits for its server

Result<u32> buckets_of(const char* option, u64 bytes) {
  constexpr u64 bytes_min = 64 * sizeof(ConnectionBucket);
  if (bytes < bytes_min || bytes > table_bytes_max)
    return fail(ErrorCode::out_of_range,
                fmt::format("{}: {} bytes is not between {} and {}", option, bytes, bytes_min, table_bytes_max));
  return static_cast<u32>(std::bit_floor(bytes) / sizeof(ConnectionBucket));
}

Result<u32> rows_of(const char* option, u64 rows, u64 minimum, u64 maximum = rows_max) {
  if (rows < minimum || rows > maximum)
    return fail(ErrorCode::out_of_range,
                fmt::format("{}: {} is not between {} and {}", option, rows, minimum, maximum));
  return static_cast<u32>(std::bit_ceil(rows));
}

}  // namespace

Result<Config> config_of(const Sizes& sizes, u32 cpus) {
  const auto connections = buckets_of("--connections-bytes", sizes.connections_bytes);
  if (!connections) return fail(connections.error());
  const auto services = rows_of("--services-max", sizes.services_max, 1);
  if (!services) return fail(services.error());
  const auto servers = rows_of("--servers-max", sizes.servers_max, 2, servers_rows_max);
  if (!servers) return fail(servers.error());
  const auto cells = rows_of("--schedule-cells", sizes.schedule_cells, 64);
  if (!cells) return fail(cells.error());

  const u64 service_buckets = std::bit_ceil(*services * service_slots_for_one / records_per_bucket + 1);
  return Config{.hash_key = {},
                .abi_version = abi_version,
                .connection_buckets = *connections,
                .service_buckets = static_cast<u32>(service_buckets),
                .servers_max = *servers,
                .next_hops_max = *servers * 2,  // a row for each server's address, and row 0
                .schedule_cells = *cells,
                .cpus = cpus,
                .zero = 0};
}

u64 memory_of(const Config& config) {
  u64 bytes = 0;
  for (const MapShape& shape : map_shapes(config)) bytes += u64{shape.value_bytes} * shape.entries;
  return bytes;
}

}  // namespace penstock::control
