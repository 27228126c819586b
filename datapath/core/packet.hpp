// What the packet path knows of the packet in its hands: filled by parse, read by everyone, changed by none.
#pragma once

#include "datapath/abi/connection.hpp"

namespace penstock {

struct Packet {
  FlowKey key;
  u64 hash;       // of the key, under the boot secret
  u32 ip_length;  // bytes of the IP packet, header included
  u16 transport;  // offset of the transport header in the frame
  u8 ttl;         // or hop limit
  u8 tos;         // IPv4 only
  u8 tcp_flags;
  bool is_fragment;
  bool dont_fragment;  // always true for IPv6
};

}  // namespace penstock
