// Direct forwarding: only the MAC header changes, and the TTL, as in every router (IPVS: ip_vs_dr_xmit). The real server owns
// the virtual address and answers the client itself.
#pragma once

#include "datapath/core/checksum.hpp"
#include "datapath/core/connection.hpp"
#include "datapath/core/outcome.hpp"

namespace penstock {

template <Platform P>
PEN_INLINE bool decrement_ttl(P& p, const Packet& packet) {
  if (packet.key.family == Family::ipv6) {
    auto* ip = header_at<Ipv6Header>(p, network_offset);
    if (!ip) return false;
    ip->hop_limit -= 1;
    return true;
  }
  auto* ip = header_at<Ipv4Header>(p, network_offset);
  if (!ip) return false;
  // TTL is the low byte of its 16-bit word, which loses one; the checksum gains one (RFC 1141).
  const u32 sum = static_cast<u32>(ip->checksum) + 1;
  ip->checksum = static_cast<u16>(sum + (sum >= 0xffff));
  ip->ttl -= 1;
  return true;
}

// Whether a packet is as long as it was on the wire. Behind generic XDP it may be many, put together by the kernel.
template <Platform P>
PEN_INLINE bool tells_length(P& p) {
  const Interface* ingress = p.ingress();
  return !ingress || ingress->mode == XdpMode::native;
}

template <Platform P>
PEN_INLINE Outcome forward_direct(P& p, const Packet& packet, u32 server, u32 next_hop) {
  if (packet.ttl <= 1) return refused(IcmpError::time_exceeded, Reason::ttl_exceeded, server);
  const NextHop* hop = p.next_hop(next_hop);
  if (!hop || hop->state != NextHopState::resolved) return settled(drop(p, Reason::next_hop_unresolved));
  // IPVS decrements before it looks at the MTU: an error about that quotes the lower TTL.
  if (!decrement_ttl(p, packet)) return settled(drop(p, Reason::bug));
  if (packet.ip_length > hop->mtu && tells_length(p)) {
    if (!packet.dont_fragment) return settled(drop(p, Reason::needs_fragmentation));
    return refused(IcmpError::too_big, Reason::too_big, server, hop->mtu);
  }
  auto* ethernet = header_at<EthernetHeader>(p, 0);
  if (!ethernet) return settled(drop(p, Reason::bug));
  __builtin_memcpy(ethernet, hop, 12);  // destination and source, in a frame's order
  return settled(p.leave_by(hop->interface));
}

}  // namespace penstock
