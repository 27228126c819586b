// Direct forwarding: only the MAC header changes, and the TTL, as in every router (IPVS: ip_vs_dr_xmit). The real server owns
// the virtual address and answers the client itself.
#pragma once

#include "datapath/core/out.hpp"

namespace penstock {

template <Platform P>
PEN_INLINE Next forward_direct(P& p, Work& work, u32 server, u32 next_hop) {
  const Packet& packet = work.packet;
  const NextHop* hop = p.next_hop(next_hop);
  if (!hop) return drop(p, Reason::bug);
  if (hop->state == NextHopState::local) return pass(p, Reason::pass_local);
  if (packet.ttl <= 1) return refuse_ttl(p, work, server);
  if (hop->state != NextHopState::resolved) return drop(p, Reason::next_hop_unresolved);
  // IPVS decrements before it looks at the MTU: an error about that quotes the lower TTL.
  if (is_longer_than(p, packet, hop->mtu)) {
    // What the daemon fragments comes this way again, natively.
    if (packet.dont_fragment && !decrement_ttl(p, packet)) return drop(p, Reason::bug);
    return refuse_length(p, work, server, hop->mtu);
  }
  return send_by(p, work, hop, decrement_ttl(p, packet));
}

}  // namespace penstock
