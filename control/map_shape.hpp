// The names and shapes of the data plane's maps: the daemon's side of datapath/bpf/maps.hpp. All are arrays that can be mapped
// into memory; their values lie one behind the other, as in Tables.
#pragma once

#include <array>
#include <cstddef>
#include <string_view>

#include "datapath/abi/config.hpp"

namespace penstock::control {

enum class MapId : std::size_t {
  connections,
  services,
  connection_tags,
  service_tags,
  servers,
  loads,
  counters,
  next_hops,
  schedules,
  interfaces,
  vip_filter,
  settings,
  reasons,
  mark_rules,
  own_prefixes,
  local_pool,
  shared,
  punted,
  works,
};
inline constexpr std::size_t map_ids = 19;

struct MapShape {
  const char* name;
  u32 value_bytes;  // a multiple of 8, as the kernel rounds
  u32 entries;
};

// What the table is called whose map a BPF object names so: libbpf puts the section's name before those of one row.
[[nodiscard]] constexpr std::string_view table_of(std::string_view map_name) {
  constexpr std::string_view section = ".data.";
  return map_name.starts_with(section) ? map_name.substr(section.size()) : map_name;
}

// In the order of MapId.
[[nodiscard]] std::array<MapShape, map_ids> map_shapes(const Config& config);

}  // namespace penstock::control
