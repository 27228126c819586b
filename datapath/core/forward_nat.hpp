// nat: the destination becomes the real server's address and port (IPVS: ip_vs_nat_xmit). The way back is in reply.hpp.
#pragma once

#include "datapath/core/ftp.hpp"
#include "datapath/core/out.hpp"
#include "datapath/core/reply_record.hpp"

namespace penstock {

// Where the packet goes.
PEN_INLINE Ends ends_to(const FlowKey& key, const Route& route, const RealServer& server) {
  Ends ends = ends_of(key);
  ends.destination = server.address;
  ends.destination_port = server_port(route, key.vip_port, server);
  return ends;
}

template <Platform P>
PEN_INLINE bool write_to_server(P& p, Work& work, const Ends& to) {
  if (!write_ends(p, work, ends_of(work.packet.key), to)) return false;
  if (has_shifted_numbers(work.packet, work.route.traits)) work.shifted = Shifted::acknowledgement;
  return true;
}

PEN_INLINE bool is_loopback(const AddressImage& address, Family family) {
  if (family == Family::ipv4) return (address.low & 0xff) == 127;
  return address.low == 0 && address.high == 1ULL << 56;
}

// A stage. Errors that it sends count nowhere: IPVS finds no connection by the virtual address in them.
template <Platform P>
PEN_INLINE Next forward_nat(P& p, Work& work) {
  const Packet& packet = work.packet;
  const RealServer* server = p.server(work.route.server);
  const NextHop* hop = p.next_hop(work.route.next_hop);
  if (!server || !hop) return drop(p, Reason::bug);
  const Ends to = ends_to(packet.key, work.route, *server);
  const bool is_local = hop->state == NextHopState::local;
  // IPVS: what comes from outside is never sent to a loopback address.
  if (is_local && is_loopback(to.destination, packet.key.family)) return drop(p, Reason::loopback_server);
  if (!is_local && packet.ttl <= 1) return refuse_ttl(p, work, no_slot);
  if (hop->state != NextHopState::resolved) {
    if (!write_to_server(p, work, to)) return drop(p, Reason::bug);
    return pass(p, is_local ? Reason::pass_local : Reason::pass_unresolved);
  }
  if (is_longer_than(p, packet, hop->mtu)) {
    if (packet.dont_fragment && !decrement_ttl(p, packet)) return drop(p, Reason::bug);
    return refuse_length(p, work, no_slot, hop->mtu);
  }
  if (!decrement_ttl(p, packet)) return drop(p, Reason::bug);
  if (!write_to_server(p, work, to)) return drop(p, Reason::bug);
  return send_by(p, work, hop);
}

}  // namespace penstock
