// How large the data plane's tables are: what an operator says, as the powers of two that the packet path wants.
#pragma once

#include "base/result.hpp"
#include "datapath/abi/config.hpp"

namespace penstock::control {

// The defaults suit a small machine: a million connections in some 80 MiB of kernel memory.
struct Sizes {
  u64 connections_bytes = u64{64} << 20;
  u64 services_max = 4096;
  u64 servers_max = 4096;
  u64 schedule_cells = u64{1} << 20;

  friend auto operator<=>(const Sizes&, const Sizes&) = default;
};

inline constexpr u64 table_bytes_max = u64{64} << 30;
inline constexpr u64 rows_max = u64{1} << 20;

// Bytes are rounded down to a power of two, numbers of rows up. Error: out_of_range, naming the option.
[[nodiscard]] Result<Config> config_of(const Sizes& sizes, u32 cpus);

// Kernel memory that the tables take, in bytes.
[[nodiscard]] u64 memory_of(const Config& config);

}  // namespace penstock::control
