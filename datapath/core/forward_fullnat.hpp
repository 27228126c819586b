// fullnat: both ends change. The real server sees one of the director's local addresses, and needs nothing but a route to it.
#pragma once

#include "datapath/core/forward_nat.hpp"
#include "datapath/core/toa.hpp"

namespace penstock {

template <Platform P>
PEN_INLINE Ends fullnat_ends(P& p, const Work& work, const RealServer& server) {
  Ends ends = ends_to(work.packet.key, work.route, server);
  const LocalPool* pool = p.local_pool();
  if (pool) ends.source = pool->addresses[work.route.local_address];
  ends.source_port = work.route.local_port;
  return ends;
}

// A stage.
template <Platform P>
PEN_INLINE Next forward_fullnat(P& p, Work& work) {
  const Packet& packet = work.packet;
  const RealServer* server = p.server(work.route.server);
  const NextHop* hop = p.next_hop(work.route.next_hop);
  if (!server || !hop) return drop(p, Reason::bug);
  if (server->family != packet.key.family) return Next::then_forward_as_ipv4;
  if (hop->state == NextHopState::local) return pass(p, Reason::pass_local);
  if (packet.ttl <= 1) return refuse_ttl(p, work, no_slot);
  if (hop->state != NextHopState::resolved) return drop(p, Reason::next_hop_unresolved);
  if (is_longer_than(p, packet, hop->mtu)) {
    if (packet.dont_fragment && !decrement_ttl(p, packet)) return drop(p, Reason::bug);
    return refuse_length(p, work, no_slot, hop->mtu);
  }
  if (!decrement_ttl(p, packet)) return drop(p, Reason::bug);
  const Ends to = fullnat_ends(p, work, *server);
  if (!write_ends(p, work, ends_of(packet.key), to)) return drop(p, Reason::bug);
  hide_client_clock(p, work);
  tell_client(p, work, hop->mtu);
  return send_by(p, work, hop);
}

}  // namespace penstock
