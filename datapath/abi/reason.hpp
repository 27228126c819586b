// Why a packet did not go to a real server: each reason is a counter, a label and a line in the reference (no silent
// drop). `pass_` reasons hand the packet to the kernel's own stack; those from `stateless` on are only counted; the others end
// it here.
#pragma once

#include "datapath/abi/types.hpp"

namespace penstock {

// X(name, sentence)
// clang-format off
#define PEN_REASONS(X)                                                                                                      \
  X(pass_not_ip, "not IPv4 or IPv6 (ARP, unknown EtherType): the kernel's")                                                 \
  X(pass_other_host, "the frame is for another machine's MAC address")                                                      \
  X(pass_not_virtual, "the destination is no virtual address, and the source no real server's")                             \
  X(pass_no_service, "a virtual address, but no service on this protocol and port")                                         \
  X(pass_protocol, "a protocol that is not balanced")                                                                       \
  X(pass_icmp, "ICMP to a virtual address that is about no connection: the kernel answers")                                 \
  X(pass_malformed, "IP, TCP, UDP or SCTP header that is truncated or contradicts itself: the kernel's")                    \
  X(pass_no_connection, "TCP or SCTP that begins no connection and belongs to none (IPVS: sloppy_tcp 0)")                   \
  X(pass_no_reply, "from a real server, but of no connection: the kernel routes it")                                        \
  X(pass_local, "the real server is the director itself: its kernel delivers")                                              \
  X(pass_bypass, "no real server, so on to where it was sent (IPVS: cache_bypass)")                                         \
  X(pass_unresolved, "the real server's MAC address is not known yet: the kernel asks for it and sends the packet on")      \
  X(no_destination, "the service has no real server that takes connections: ICMP port unreachable")                         \
  X(no_reply_connection, "from a port of a real server, but of no connection: ICMP port unreachable (IPVS: nat_icmp_send)") \
  X(ttl_exceeded, "TTL or hop limit ran out here: ICMP time exceeded")                                                      \
  X(too_big, "larger than the next hop's MTU: ICMP fragmentation needed or packet too big")                                 \
  X(drop_packet, "a packet that would begin a connection, dropped on purpose (IPVS: drop_packet)")                          \
  X(server_removed, "the connection's real server was removed (IPVS: expire_nodest_conn 0)")                                \
  X(next_hop_unresolved, "the real server's MAC address or route is not known")                                             \
  X(connection_table_full, "no free slot for a new connection that can't do without")                                       \
  X(superseded, "its connection was ended by another packet that begins the same flow")     \
  X(local_ports_exhausted, "fullnat: no local address has a free port towards the real server")                             \
  X(loopback_server, "nat to a loopback address: the kernel takes nothing from outside there")                             \
  X(icmp_ttl_exceeded, "an ICMP error whose TTL ran out here: no error is sent about an error")                             \
  X(icmp_checksum, "an ICMP error about a connection, with a wrong checksum")                                               \
  X(icmp_taken, "an ICMP error about a tunnel's packet of which its client need not know")  \
  X(icmp_untranslatable, "an ICMP error between an IPv6 client and an IPv4 server for which the other family has no word")  \
  X(no_checksum, "a fragmented UDP datagram without a checksum, which its IPv6 client wants: only the sender can make it")  \
  X(icmp_no_destination, "an ICMP error for which no real server can be chosen (IPVS: schedule_icmp)")                      \
  X(fragment_waits, "a fragment before the first of its datagram: penstockd sends it when that has come")                   \
  X(to_be_fragmented, "larger than the next hop's MTU and may be fragmented: penstockd does and sends it")                  \
  X(ftp_text, "FTP's control connection says where data will go: penstockd reads that and sends it on")                    \
  X(punt_full, "penstockd has no room left for frames that wait, are to be fragmented or read, or is not running")         \
  X(no_room, "the frame leaves no room for the headers that it needs")                                                      \
  X(bug, "an assertion of the data plane failed: please report")                                                            \
  X(stateless, "not a loss: the connection table is full, and the packet went where its hash chose")                        \
  X(toa_no_room, "not a loss: fullnat, the client's address finds no room in the TCP header")                               \
  X(tunnel_not_summed, "not a loss: a tunnel's packets without its checksum, as they still were one frame (TC)")            \
  X(lblcr_set_full, "not a loss: lblcr, a fifth server of one destination takes the place of the first")
// clang-format on

enum class Reason : u32 {
#define PEN_REASON_ENUM(name, sentence) name,
  PEN_REASONS(PEN_REASON_ENUM)
#undef PEN_REASON_ENUM
};

constexpr bool is_remark(Reason reason) { return reason >= Reason::stateless; }

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
