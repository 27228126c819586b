// A connection: what the director knows of one flow, in one cache line. Both address families, all protocols.
// The word is written by compare-and-swap only; everything else is written once, between claim and publication.
#pragma once

#include "datapath/abi/address.hpp"
#include "datapath/abi/bucket.hpp"

namespace penstock {

// IPVS: a connection is (family, protocol, client, virtual address). Compared as five 64-bit words.
struct FlowKey {
  AddressImage client;
  AddressImage vip;
  be16 client_port;
  be16 vip_port;
  u8 protocol;  // IPPROTO_TCP, IPPROTO_UDP
  Family family;
  u16 zero;  // no padding may hide in a key
};
static_assert(sizeof(FlowKey) == 40);

// Numbers as in the kernel (include/net/ip_vs.h): they also go over the sync wire.
enum class TcpState : u8 {
  none = 0,
  established = 1,
  syn_sent = 2,
  syn_recv = 3,
  fin_wait = 4,
  time_wait = 5,
  close = 6,
  close_wait = 7,
  last_ack = 8,
  listen = 9,
  synack = 10,
};
static constexpr u32 tcp_states = 11;

// IPVS's forwarding methods by their numbers in IP_VS_CONN_F_FWD_MASK; fullnat is ours.
enum class Method : u8 { nat = 0, local = 1, tunnel = 2, direct = 3, fullnat = 5 };

struct Connection {
  u64 word;  // expiry (bits 0-31) | state (32-35) | life (36, 37) | claimed, live (38, 39) | tag (40-63): datapath/core/table.hpp
  FlowKey key;
  u32 server;      // slot in the table of real servers
  u16 generation;  // of that slot when the connection was made
  Method method;   // IPVS: editing a server's method changes only new connections
  u8 flags;        // none yet
  u64 reserved;    // will hold the last sequence and acknowledgement numbers
};
static_assert(sizeof(Connection) == 64);

using ConnectionBucket = Bucket<Connection>;

}  // namespace penstock
