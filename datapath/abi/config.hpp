// What the data plane is told: Config once, before the program is loaded (the verifier sees constants); Settings at any time.
#pragma once

#include "datapath/abi/connection.hpp"

namespace penstock {

// Raised whenever a record's layout or meaning changes: a daemon adopts only pinned tables of its own version.
static constexpr u32 abi_version = 1;

// The boot secret that keys the tables' hash: twelve 32-bit words of it.
static constexpr u32 hash_key_words = 6;

// Sizes are powers of two, so that an index is a mask. Read-only for the program.
struct Config {
  u64 hash_key[hash_key_words];
  u32 abi_version;
  u32 connection_buckets;
  u32 half_open_buckets;
  u32 service_buckets;
  u32 servers_max;
  u32 next_hops_max;
  u32 schedule_cells;
  u32 cpus;  // possible CPUs: rows of per-CPU counters
};

// Which addresses are virtual: bits by a hash of the address, so that traffic which isn't ours leaves after one look.
static constexpr u32 vip_filter_bits = 1U << 16;
struct VipFilter {
  u64 bits[vip_filter_bits / 64];
};

// One tick is one jiffy; ticks_per_second is the kernel's HZ (natively whatever the clock is). Timeouts are in ticks.
struct Settings {
  u32 ticks_per_second;
  u32 tcp_timeout[tcp_states];
  u32 udp_timeout;
  u32 sloppy_tcp;          // IPVS: net.ipv4.vs.sloppy_tcp, 0
  u32 expire_nodest_conn;  // IPVS: net.ipv4.vs.expire_nodest_conn, 0
  u32 conn_reuse_mode;     // IPVS: net.ipv4.vs.conn_reuse_mode, 1
  u32 reserved[16];
};
static_assert(sizeof(Settings) == 128);

}  // namespace penstock
