// Which flow each packet of a measurement belongs to, and what its addresses are: the same rule for the driver, which writes the
// packets, and for the host, which prepares the connections. C-plain, as both machines read it.
#pragma once

#include "datapath/abi/connection.hpp"
#include "datapath/core/inline.hpp"

namespace penstock::bench {

// Who sends the packets.
enum class Sender : u8 {
  client,
  nat_server,      // replies, to the client's address
  fullnat_server,  // replies, to the director's local address
};

static constexpr u32 template_words_max = 10;

struct FlowPlan {
  u64 turn;          // packets so far; the driver counts on
  u64 header_sum;    // of the IPv4 header's 32-bit words without checksum and addresses
  u32 multiplier;    // odd, so that consecutive packets visit all flows, in an order that no prefetcher guesses
  u32 mask;          // flows - 1; the number of flows is a power of two
  u32 first;         // number of the first flow
  u32 client_shift;  // a client has 2^client_shift flows
  u32 length;        // of a frame
  u32 destination;   // of a client's packets
  be16 destination_port;
  Family family;
  Sender sender;
  u8 handshake;                   // 1: packets come in pairs, a flow's SYN and its ACK
  u8 resizes;                     // 1: the program under test makes the frame longer at its head
  u8 datagrams;                   // 1: all packets are flow 0's; their number is the IP identification
  u8 template_words;              // not 0: each packet is this template
  u64 words[template_words_max];  // of the template, from the frame's third byte on
};

// The MAC addresses 02:00:00:00:00:01 and 02:00:00:00:09:09, as the words that an Ethernet header has.
static constexpr u32 director_mac_high = 0x00000002U;
static constexpr u16 director_mac_low = 0x0100U;
static constexpr u16 client_mac_high = 0x0002U;
static constexpr u32 client_mac_low = 0x09090000U;

static constexpr u32 multiplier = 0x9e3779b1U;
static constexpr u32 default_client_shift = 15;

PEN_INLINE u32 flow_of_turn(const FlowPlan& plan, u64 turn) {
  return plan.first + ((static_cast<u32>(turn >> plan.handshake) * plan.multiplier) & plan.mask);
}

PEN_INLINE u32 ipv4_word(u32 address) { return static_cast<u32>(big(address)); }

// 10.0.0.0/8 and, for very many, what follows; also the last 32 bits of an IPv6 client.
PEN_INLINE u32 client_word(u32 flow, u32 shift) { return ipv4_word(0x0a000000U + (flow >> shift)); }
PEN_INLINE be16 client_port(u32 flow, u32 shift) { return big(static_cast<u16>(1024 + (flow & ((1U << shift) - 1)))); }

static constexpr u32 vip_address = 0xc0000201U;  // 192.0.2.1
static constexpr u16 service_port = 80;

// Prepared connections go to this many servers in turns, those of flow 0 to slot `first_server`.
static constexpr u32 first_server = 1;
static constexpr u32 prepared_servers = 8;

// 172.16.0.32 and the following.
PEN_INLINE u32 server_word(u32 slot) { return ipv4_word(0xac10001fU + slot); }
PEN_INLINE u32 server_of_flow(u32 flow) { return first_server + flow % prepared_servers; }

// fullnat: the local address and port of a prepared flow, of its own among those to the same server.
static constexpr u32 ports_per_local_address = 1U << 15;
PEN_INLINE u32 local_index(u32 flow) { return flow / prepared_servers / ports_per_local_address; }
PEN_INLINE u32 local_word(u32 index) { return ipv4_word(0xac110001U + index); }  // 172.17.0.1
PEN_INLINE be16 local_port(u32 flow) {
  return big(static_cast<u16>(1024 + flow / prepared_servers % ports_per_local_address));
}

}  // namespace penstock::bench
