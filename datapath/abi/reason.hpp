// Why a packet did not go to a real server: each reason is a counter, a label and a line in the reference (DESIGN: no silent
// drop). `pass_` reasons hand the packet to the kernel's own stack; the others end it here.
#pragma once

#include "datapath/abi/types.hpp"

namespace penstock {

// X(name, sentence)
#define PEN_REASONS(X)                                                                              \
  X(pass_not_ip, "not IPv4 or IPv6 (ARP, VLAN, unknown EtherType): the kernel's")                   \
  X(pass_other_host, "the frame is for another machine's MAC address")                              \
  X(pass_not_virtual, "the destination is no virtual address")                                      \
  X(pass_no_service, "a virtual address, but no service on this protocol and port")                 \
  X(pass_protocol, "a protocol that is not balanced")                                               \
  X(pass_icmp, "ICMP to a virtual address: the kernel answers")                                     \
  X(pass_fragment, "an IP fragment: left to the kernel")                                            \
  X(pass_malformed, "IP, TCP or UDP header that is truncated or contradicts itself: the kernel's")  \
  X(pass_no_connection, "TCP that begins no connection and belongs to none (IPVS: sloppy_tcp 0)")   \
  X(no_destination, "the service has no real server that takes connections: ICMP port unreachable") \
  X(ttl_exceeded, "TTL or hop limit ran out here: ICMP time exceeded")                              \
  X(too_big, "larger than the next hop's MTU: ICMP fragmentation needed or packet too big")         \
  X(needs_fragmentation, "larger than the next hop's MTU and may be fragmented, which is not done") \
  X(server_removed, "the connection's real server was removed (IPVS: expire_nodest_conn 0)")        \
  X(next_hop_unresolved, "the real server's MAC address or route is not known")                     \
  X(connection_table_full, "no free slot for a new connection")                                     \
  X(no_room_for_reply, "the frame leaves no room to build an ICMP error")                           \
  X(bug, "an assertion of the data plane failed: please report")

enum class Reason : u32 {
#define PEN_REASON_ENUM(name, sentence) name,
  PEN_REASONS(PEN_REASON_ENUM)
#undef PEN_REASON_ENUM
};

#define PEN_REASON_COUNT(name, sentence) +1
static constexpr u32 reasons = 0 PEN_REASONS(PEN_REASON_COUNT);
#undef PEN_REASON_COUNT

// A row of counters for one CPU. Rounded up to whole cache lines, with room for reasons to come.
static constexpr u32 reasons_max = 64;
struct alignas(64) ReasonCounters {
  u64 packets[reasons_max];
};
static_assert(reasons <= reasons_max);

}  // namespace penstock
