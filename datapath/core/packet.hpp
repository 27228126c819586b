// What the packet path knows of the packet in its hands: filled by parse, read by everyone.
#pragma once

#include "datapath/abi/config.hpp"
#include "datapath/core/inline.hpp"
#include "datapath/core/wire.hpp"

namespace penstock {

struct Packet {
  FlowKey key;  // as of a client's packet: client is the source
  u64 hash;  // of the key under which its connection stands (a real server's: key_from_server), under the boot secret
  u32 ip_length;    // bytes of the IP packet, header included
  u32 fragment_id;  // as in the header
  VlanTag tag;      // that the frame came with; no type: none
  u16 transport;    // offset of the transport header in the frame
  u8 ttl;           // or hop limit
  u8 tos;           // or traffic class
  u8 protocol;      // behind IPv6's extension headers; key.protocol but for AH and ESP
  u8 event;         // TcpEvent or SctpEvent
  Machine machine;  // of key.protocol
  u8 tcp_flags;
  bool is_first_fragment;
  bool is_later_fragment;
  bool dont_fragment;    // always true for IPv6
  bool is_portless;      // AH, ESP: belong to their IKE connection
  bool is_icmp;          // an ICMP error; the key is that of the connection it is about
  bool is_repeated;      // a first fragment that came before: not counted again
  be16 fragment_offset;  // IPv6: of its fragment header, as on the wire
};

PEN_INLINE bool is_fragment(const Packet& packet) { return packet.is_first_fragment | packet.is_later_fragment; }

}  // namespace penstock
