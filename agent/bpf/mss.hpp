// How much of a client's segment fits through a tunnel. Written for BPF and for the command alike.
#pragma once

#include "datapath/abi/types.hpp"
#include "datapath/core/inline.hpp"

namespace penstock::agent {

// RFC 9293 §3.7.1: a host has to take this much, so nothing smaller is announced, whatever the MTU.
static constexpr u32 mss_min = 536;

// Bytes before an inner packet by the largest of the tunnels: GUE, whose UDP and GUE headers have 12 bytes.
static constexpr u32 tunnel_overhead_ipv4 = 20 + 8 + 4;  // in an IPv4 packet
static constexpr u32 tunnel_overhead_ipv6 = 40 + 8 + 4;

struct SegmentRoom {
  u32 mtu;       // of the interface
  u32 overhead;  // of the tunnel
  bool is_ipv6;  // the inner packet
};

// The largest TCP payload without options, at least mss_min.
PEN_INLINE u32 mss_within(const SegmentRoom& room) {
  const u32 headers = room.overhead + (room.is_ipv6 ? 40 : 20) + 20;
  return room.mtu < mss_min + headers ? mss_min : room.mtu - headers;
}

}  // namespace penstock::agent
