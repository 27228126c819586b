// Real servers by slot, their load, their counters, and the next hops they are reached by.
#pragma once

#include "datapath/abi/address.hpp"
#include "datapath/abi/connection.hpp"

namespace penstock {

static constexpr u32 no_next_hop = 0;  // row 0 of the next-hop table is never resolved

// What the established path needs, in one aligned word, so that every change of a server is one flip.
struct alignas(8) ServerRoute {
  u32 next_hop;    // row in the next-hop table
  u16 generation;  // raised when the slot gets another server: connections of the old one no longer match
  Method method;
  u8 available;  // 0: removed from its service, waiting for its connections to end
};
static_assert(sizeof(ServerRoute) == 8);

// IPVS: IP_VS_CONN_F_TUNNEL_TYPE_*, IP_VS_TUNNEL_ENCAP_FLAG_*.
enum class TunnelType : u8 { ipip = 0, gue = 1, gre = 2 };
enum class TunnelChecksum : u8 { none = 0, checksum = 1, remote_checksum = 2 };

// The slot of no server: connections that bypass all of them (cache_bypass) refer to it.
static constexpr u32 server_of_none = 0;

struct RealServer {
  ServerRoute route;
  AddressImage address;
  be16 port;  // 0: that of the packet stays
  Family family;
  TunnelType tunnel;
  be16 tunnel_port;  // GUE's
  TunnelChecksum tunnel_checksum;
  u8 zero;
  u64 reserved[4];
};
static_assert(sizeof(RealServer) == 64);

// IPVS: dest->activeconns, inactconns, persistconns. Atomic adds by the packet path and by the sweeper; a line of its own, with
// all that a scheduler asks of a server. Weight and thresholds are the control plane's.
struct alignas(64) ServerLoad {
  s32 active;
  s32 inactive;
  s32 persistent;
  s32 weight;
  u32 upper_threshold;  // 0: none
  u32 lower_threshold;
  u32 overloaded;
  u32 path_mtu;          // of a tunnel's way, learnt from ICMP; 0: the next hop's
  u32 path_mtu_expires;  // ticks
  u32 reserved[7];
};
static_assert(sizeof(ServerLoad) == 64);

// One a server and CPU; only that CPU adds. Bytes are the IP packet's length (IPVS). "out" counts replies where they pass
// (nat, fullnat) and ICMP errors that the director itself sends for a connection.
struct alignas(64) ServerCounters {
  u64 connections;
  u64 in_packets;
  u64 in_bytes;
  u64 out_packets;
  u64 out_bytes;
  u64 reserved[3];
};
static_assert(sizeof(ServerCounters) == 64);

// local: the address is the director's own, so its kernel takes the packet.
enum class NextHopState : u32 { unresolved = 0, resolved = 1, local = 2 };

// The first twelve bytes are an Ethernet header's.
struct alignas(64) NextHop {
  u8 destination[6];
  u8 source[6];
  u32 interface;  // index of the interface the frame leaves by
  u32 mtu;        // largest IP packet it takes
  NextHopState state;
  be16 vlan;  // tag of the frames that leave, as on the wire; 0: none
  u8 zero[6];
  AddressImage address;  // the director's own on the way there (IPv4 or IPv6 as the server): source of tunnels
  u64 reserved[2];
};
static_assert(sizeof(NextHop) == 64);

}  // namespace penstock
