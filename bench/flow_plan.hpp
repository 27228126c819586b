// Which flow each packet of a measurement belongs to: the same rule for the driver, which writes the packets, and for the
// host, which prepares the connections. C-plain, as both machines read it.
#pragma once

#include "datapath/abi/connection.hpp"
#include "datapath/core/inline.hpp"

namespace penstock::bench {

struct FlowPlan {
  u64 turn;        // packets so far; the driver counts on
  u64 header_sum;  // of the IPv4 header's 32-bit words without checksum and source address
  u32 multiplier;  // odd, so that consecutive packets visit all flows, in an order that no prefetcher guesses
  u32 mask;        // flows - 1; the number of flows is a power of two
  u32 first;       // number of the first flow, a multiple of the number of flows
  Family family;
  u8 handshake;  // 1: packets come in pairs, a flow's SYN and its ACK
  u8 zero[2];
};

// The director's MAC address, 02:00:00:00:00:01, as the words that a frame begins with.
static constexpr u32 director_mac_high = 0x00000002U;
static constexpr u16 director_mac_low = 0x0100U;

static constexpr u32 multiplier = 0x9e3779b1U;
static constexpr u32 ports_per_client = 1U << 15;

PEN_INLINE u32 flow_of_turn(const FlowPlan& plan, u64 turn) {
  return plan.first + ((static_cast<u32>(turn >> plan.handshake) * plan.multiplier) & plan.mask);
}

// 10.0.0.0/8; also the last 32 bits of an IPv6 client.
PEN_INLINE u32 client_word(u32 flow) { return static_cast<u32>(big(0x0a000000U + flow / ports_per_client)); }
PEN_INLINE be16 client_port(u32 flow) { return big(static_cast<u16>(1024 + flow % ports_per_client)); }

}  // namespace penstock::bench
