// What the data plane is told: Config once, before the program is loaded (the verifier sees constants); Settings at any time.
#pragma once

#include "datapath/abi/connection.hpp"

namespace penstock {

// Raised whenever a record's layout or meaning changes: a daemon adopts only pinned tables of its own version.
static constexpr u32 abi_version = 7;

// The boot secret that keys the tables' hash: twelve 32-bit words of it.
static constexpr u32 hash_key_words = 6;

// Sizes are powers of two, so that an index is a mask. Read-only for the program.
struct Config {
  u64 hash_key[hash_key_words];
  u32 abi_version;
  u32 connection_buckets;
  u32 service_buckets;
  u32 servers_max;
  u32 next_hops_max;
  u32 schedule_cells;
  u32 cpus;  // rows of per-CPU counters: possible CPUs, and one more for the daemon
  u32 zero;
};

// Which addresses are ours: bits by a hash of the address, so that traffic which isn't leaves after one look. `marked` has a bit
// for the first 16 bits of a destination that a mark rule may mean.
static constexpr u32 vip_filter_bits = 1U << 16;
struct VipFilter {
  u64 bits[vip_filter_bits / 64];       // virtual addresses, local addresses of fullnat, sources of tunnels
  u64 servers[vip_filter_bits / 64];    // real servers whose packets are to be rewritten: nat and fullnat
  u64 marked[2][vip_filter_bits / 64];  // IPv4, IPv6
  u64 uses;                             // which of the above have any bits: filter_has_…
};
static constexpr u64 filter_has_servers = 1;
static constexpr u64 filter_has_marked = 2;

// From whose packet a connection's state follows (IPVS: IP_VS_DIR_*). input_only: the director sees no replies.
enum class Direction : u8 { input = 0, output = 1, input_only = 2 };
static constexpr u32 directions = 4;  // a power of two, for a mask

// What a segment means to TCP's table; the first that holds counts (IPVS: RST, SYN, FIN, ACK, none).
enum class TcpEvent : u8 { syn = 0, fin = 1, ack = 2, rst = 3, none = 4 };

enum class SctpEvent : u8 {
  data = 0,
  init = 1,
  init_ack = 2,
  cookie_echo = 3,
  cookie_ack = 4,
  shutdown = 5,
  shutdown_ack = 6,
  shutdown_complete = 7,
  error = 8,
  abort = 9,
};

// What packets of a protocol do to the state of their connection. UDP's has one event and one state, 0.
static constexpr u32 events_max = 16;
static constexpr u32 states_max = 16;
struct StateMachine {
  u64 next[directions][events_max];  // the next state for each state, four bits each
  u32 timeout[states_max];           // ticks
};
enum class Machine : u8 { tcp = 0, udp = 1, sctp = 2 };
static constexpr u32 machines_max = 4;  // a power of two, for a mask

// One tick is one jiffy; ticks_per_second is the kernel's HZ (natively whatever the clock is).
struct Settings {
  StateMachine machines[machines_max];
  u32 ticks_per_second;
  // IPVS: net.ipv4.vs.*, by its names.
  u32 sloppy_tcp;
  u32 sloppy_sctp;
  u32 expire_nodest_conn;
  u32 expire_quiescent_template;
  u32 conn_reuse_mode;
  u32 schedule_icmp;
  u32 nat_icmp_send;
  u32 pmtu_disc;
  u32 cache_bypass;
  u32 drop_entry;        // 1: the sweeper ends entries at random (control/drop_entry.hpp)
  u32 drop_rate;         // every so many-th packet that would begin a connection is dropped; 0: none (drop_packet)
  u32 lblc_expiration;   // ticks
  u32 lblcr_expiration;  // ticks
  // Ours.
  u32 toa_kind;  // TCP option that tells a real server behind fullnat its client; 0: none
  // What there is, so that nothing is looked for in vain.
  u32 port_zero_services;
  u32 ftp_services;
  u32 mark_rules;
  u32 translating_servers;  // of nat and fullnat
  u32 tunnel_servers;
  u32 reserved[12];
};
static_assert(sizeof(Settings) % 64 == 0);

constexpr StateMachine& machine_of(Settings& settings, Machine machine) {
  return settings.machines[static_cast<u32>(machine) % machines_max];
}
constexpr const StateMachine& machine_of(const Settings& settings, Machine machine) {
  return settings.machines[static_cast<u32>(machine) % machines_max];
}

}  // namespace penstock
