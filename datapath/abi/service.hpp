// A virtual service as the packet path finds it: by family, protocol, address and port, or by family and firewall mark.
#pragma once

#include "datapath/abi/address.hpp"
#include "datapath/abi/bucket.hpp"

namespace penstock {

// By mark: address, port and protocol are 0.
struct ServiceKey {
  AddressImage vip;
  be16 port;
  u8 protocol;
  Family family;
  u32 mark;
};
static_assert(sizeof(ServiceKey) == 24);

// The same table says which addresses and ports are real servers' of nat services (net.ipv4.vs.nat_icmp_send): a key with
// the server's address and this mark. No service has both.
static constexpr u32 mark_of_server = 1;

// Where a service's schedule stands in the schedule pool. One aligned 64-bit word, so that replacing it is a single flip.
struct alignas(8) ScheduleRef {
  u32 offset;  // of the schedule's header in the pool
  u32 size;    // slots in the schedule; 0: no real server takes new connections
};

// IPVS: IP_VS_SVC_F_*.
static constexpr u32 service_persistent = 0x1;
static constexpr u32 service_one_packet = 0x4;

struct Service {
  u64 word;  // tag, live and claimed bits as in a connection; no state, no expiry
  ServiceKey key;
  ScheduleRef schedule;
  u32 id;     // the control plane's number for the service
  u32 flags;  // service_*
  u32 persistence_ticks;
  u32 netmask;  // IPv4: the mask as on the wire. IPv6: prefix length 1-128
  u64 reserved;
};
static_assert(sizeof(Service) == 64);

using ServiceBucket = Bucket<Service>;

// How the packet path picks from a schedule.
enum class SchedulerKind : u8 {
  sequence,  // rr, wrr: the next slot, skipping who takes nothing now
  ranked,    // fo, ovf: the first slot that takes connections
  least,     // lc, wlc, sed, nq: the least loaded of all slots
  twos,
  lblc,
  lblcr,
  destination_hash,  // dh
  source_hash,       // sh
  maglev,            // mh
};

// How loads compare (SchedulerKind::least).
enum class Overhead : u8 {
  connections,           // lc: 256 active + inactive
  weighted_connections,  // wlc: the same by weight
  shortest_delay,        // sed: (active + 1) by weight
  never_queue,           // nq: who has no active connection, else sed
};

// The second header cell.
struct alignas(8) ScheduleHead {
  SchedulerKind kind;
  Overhead overhead;
  u8 overflow;   // ovf: a server takes connections while active <= weight
  u8 fallback;   // IPVS: sh-fallback, mh-fallback
  u8 with_port;  // IPVS: sh-port, mh-port
  u8 zero[3];
};
static_assert(sizeof(ScheduleHead) == 8);

// The schedule pool is an array of 64-bit cells. A schedule is a header, whose first cell is a cursor that counts the picks taken
// since it was installed, followed by `size` cells that each hold a server's slot or no_slot.
static constexpr u32 schedule_header_cells = 8;
static constexpr u32 schedule_head_cell = 1;
static constexpr u32 no_slot = ~0U;

}  // namespace penstock
