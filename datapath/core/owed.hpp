// Transport checksums that the packet's sender has left to be computed on the way out (the kernel's CHECKSUM_PARTIAL), as packets
// have them that never were on a wire. The field holds the pseudo header's sum; whoever sends the packet adds the rest. XDP's
// packets are complete, and there all of this is nothing.
#pragma once

#include "datapath/core/checksum.hpp"
#include "datapath/core/parse.hpp"

namespace penstock {

// Where the checksum stands in its header: of what has ports.
PEN_INLINE u32 checksum_within(const FlowKey& key) {
  if (is_tcp(key)) return __builtin_offsetof(TcpHeader, checksum);
  return is_sctp(key) ? __builtin_offsetof(SctpHeader, checksum) : __builtin_offsetof(UdpHeader, checksum);
}

// `moved`: how far the packet stands behind where it was parsed.
template <Platform P>
PEN_INLINE bool owes_checksum(P& p, const Packet& packet, u32 moved = 0) {
  if (packet.is_icmp || packet.is_portless || is_fragment(packet)) return false;
  return p.owes_checksum(transport_offset(packet) + checksum_within(packet.key) + moved);
}

// What `length` bytes of the packet in hand will sum to when it is sent. Whoever completes a checksum makes everything behind the
// beginning of its header sum to the complement of what the field holds now.
template <Platform P>
PEN_INLINE u64 sum_of_packet(P& p, Work& work, u32 length, u32 moved = 0) {
  const Packet& packet = work.packet;
  if (!owes_checksum(p, packet, moved)) return sum_of(p, work, network_offset + moved, length);
  const u64 header = sum_of(p, work, network_offset + moved, packet.transport - network_offset);
  const u16* field = header_at<u16>(p, transport_offset(packet) + checksum_within(packet.key) + moved);
  return field ? header + static_cast<u16>(~*field) : 0;
}

}  // namespace penstock
