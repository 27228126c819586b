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

struct RealServer {
  ServerRoute route;
  AddressImage address;
  be16 port;
  Family family;
  u8 zero[5];
  u64 reserved[4];
};
static_assert(sizeof(RealServer) == 64);

// IPVS: dest->activeconns and dest->inactconns. Atomic adds by the packet path and by the sweeper; a line of its own.
struct alignas(64) ServerLoad {
  s32 active;
  s32 inactive;
  u64 reserved[7];
};
static_assert(sizeof(ServerLoad) == 64);

// One a server and CPU; only that CPU adds. Bytes are the IP packet's length (IPVS). "out" stays 0 with direct forwarding
// but for the ICMP errors that the director itself sends for a connection.
struct alignas(64) ServerCounters {
  u64 connections;
  u64 in_packets;
  u64 in_bytes;
  u64 out_packets;
  u64 out_bytes;
  u64 reserved[3];
};
static_assert(sizeof(ServerCounters) == 64);

enum class NextHopState : u32 { unresolved = 0, resolved = 1 };

// The first twelve bytes are an Ethernet header's.
struct alignas(32) NextHop {
  u8 destination[6];
  u8 source[6];
  u32 interface;  // index of the interface the frame leaves by
  u32 mtu;        // largest IP packet it takes
  NextHopState state;
  u64 reserved;
};
static_assert(sizeof(NextHop) == 32);

}  // namespace penstock
