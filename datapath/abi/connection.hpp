// A connection: what the director knows of one flow, in one cache line. Both address families, all protocols.
// The word is written by compare-and-swap only; everything else is written once, between claim and publication.
#pragma once

#include "datapath/abi/address.hpp"
#include "datapath/abi/bucket.hpp"

namespace penstock {

// What a record of the connection table stands for. All share one table; the role is part of the key.
enum class Role : u16 {
  request = 0,  // a connection, as the client's packets name it
  reply = 1,  // a connection once more, where its real server's packets look for it; of those that need one (ADR-0014)
  persistence = 2,  // IPVS: a template; where new connections of a client go
  fragment = 3,     // a datagram in fragments: names the connection of its first one
  cache = 4,        // lblc, lblcr: where a destination went
  shift = 5,        // FTP: of a control connection, whose key it has but for the role
};

// IPVS: a connection is (family, protocol, client, virtual address). Compared as five 64-bit words.
//   reply        its request's; it stands where the ends of the real server's packets put it
//   persistence  client: masked, port 0 · vip: with port 0 if all ports go together; a firewall mark, protocol 0
//   fragment     client, vip: source and destination · ports: the identification's two halves
//   request      client port 0: FTP's data, which the client will begin from a port of its choice (IPVS: IP_VS_CONN_F_NO_CPORT)
//   cache        client: the service's id · vip: the destination
struct FlowKey {
  AddressImage client;
  AddressImage vip;
  be16 client_port;
  be16 vip_port;
  u8 protocol;  // IPPROTO_TCP, IPPROTO_UDP, IPPROTO_SCTP
  Family family;
  Role role;  // no padding may hide in a key
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

enum class SctpState : u8 {
  none = 0,
  init1 = 1,
  init = 2,
  cookie_sent = 3,
  cookie_replied = 4,
  cookie_wait = 5,
  cookie = 6,
  cookie_echoed = 7,
  established = 8,
  shutdown_sent = 9,
  shutdown_received = 10,
  shutdown_ack_sent = 11,
  rejected = 12,
  closed = 13,
};
static constexpr u32 sctp_states = 14;

// A template's: whether a connection that it made was ever established, or answered (IPVS: IP_VS_CTPL_S_*).
enum class TemplateState : u8 { none = 0, assured = 1 };

// IPVS's forwarding methods by their numbers in IP_VS_CONN_F_FWD_MASK; fullnat is ours.
enum class Method : u8 { nat = 0, local = 1, tunnel = 2, direct = 3, bypass = 4, fullnat = 5 };

// Connection.traits: the method in the low three bits, and these.
static constexpr u8 method_mask = 0x07;
// Made by a persistence template, or by FTP's control connection.
static constexpr u8 trait_controlled = 0x08;
// The real server has said something after its handshake; one-sided, the client.
static constexpr u8 trait_answered = 0x10;
// Of a fragment: of the direction from the real server.
static constexpr u8 trait_replies = 0x20;
// Of a request, FTP: the daemon has not yet read what the real server said last.
static constexpr u8 trait_announces = 0x20;
// nat, FTP: sequence numbers are shifted: there is a record of role `shift`.
static constexpr u8 trait_mangled = 0x40;
// The other methods: the director has seen a reply, as the real server is itself (IPVS: IP_VS_CONN_F_NOOUTPUT is gone).
static constexpr u8 trait_seen_reply = 0x40;
// nat: the real server's port stands in `local_port`, and its packets find the connection by a record of role `reply`, or not at all.
// fullnat: the real server's port is not the slot's, but the packet's.
static constexpr u8 trait_own_port = 0x80;

// Where a client's packets come from, and so where answers go: the neighbour that sent the last one (ADR-0008).
struct alignas(8) Way {
  u8 address[6];
  u16 interface;
};
static_assert(sizeof(Way) == 8);

// Another record: its place, and what its word says of it for as long as it lives.
struct alignas(8) Peer {
  u32 record;  // bucket * records_per_bucket + index
  u32 owner;   // the word's upper bits (datapath/core/table.hpp: owner_of)
};
static_assert(sizeof(Peer) == 8);

struct Connection {
  u64 word;  // expiry (bits 0-31) | state (32-35) | life (36, 37) | claimed, live (38, 39) | tag (40-63): datapath/core/table.hpp
  FlowKey key;
  u16 server;        // slot in the table of real servers
  u16 generation;    // of that slot when the connection was made · reply: the client's VLAN tag
  u8 traits;         // method and flags. IPVS: editing a server's method changes only new connections
  u8 local_address;  // fullnat: its index in the pool
  be16 local_port;   // fullnat · nat: the client's VLAN tag, or with trait_own_port the real server's port
  u64 detail;  // request, reply: Way · fragment: Peer · persistence: its timeout in ticks · cache: its set of servers · shift: Shift
};
static_assert(sizeof(Connection) == 64);

using ConnectionBucket = Bucket<Connection>;

}  // namespace penstock
