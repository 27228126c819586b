// Packets from real servers: of nat and fullnat they get the virtual address back, and leave by the way the client's packets
// come (IPVS: ip_vs_out, handle_response; ADR-0008).
#pragma once

#include "datapath/core/ftp.hpp"
#include "datapath/core/table_fetch.hpp"
#include "datapath/core/toa.hpp"

namespace penstock {

// Replies are forwarded by the director as a router, which looks at TTL and MTU before it looks at the connection: errors go to
// the real server, quote the packet as it came, and count nowhere.
template <Platform P>
PEN_INLINE Next refuse_reply(P& p, Work& work, IcmpError error, Reason reason, u32 mtu) {
  if (!may_be_refused(work.packet)) return drop(p, Reason::icmp_ttl_exceeded);
  return refuse_with(p, work, error, reason, no_slot, mtu, Sender::director);
}

// The client's packets say where the client is.
PEN_INLINE Ends ends_back(const FlowKey& request) {
  return {.source = request.vip,
          .destination = request.client,
          .source_port = request.vip_port,
          .destination_port = request.client_port};
}

template <Platform P>
PEN_INLINE Next send_back(P& p, Work& work, const Way& way, const Interface& egress, be16 vlan) {
  auto* ethernet = header_at<EthernetHeader>(p, 0);
  if (!ethernet) return drop(p, Reason::bug);
  __builtin_memcpy(ethernet->destination, way.address, 6);
  __builtin_memcpy(ethernet->source, egress.address, 6);
  work.tag = tag_of(vlan);
  return p.leave_by(way.interface);
}

// The reply's record lives as long as the request's.
PEN_INLINE void keep_reply(const Settings& settings, const Flow& reply, u64 request_word) {
  const u32 state = state_of(request_word);
  const u32 expiry = expires_of(request_word);
  if (is_fresh(settings, reply.found.word, state, expiry)) return;
  compare_exchange(&reply.found.record->word, reply.found.word, with_state(reply.found.word, state, expiry));
}

// IPVS marks a UDP connection's template when the server answers. fullnat tells the client's address until then.
PEN_INLINE void note_answer(Work& work, const Flow& request) {
  if (request.traits & trait_answered) return;
  if (is_tcp(work.packet.key) && (work.packet.tcp_flags & tcp_syn)) return;
  set_trait(request.found.record, trait_answered);
  const bool is_udp = !is_tcp(work.packet.key) && !is_sctp(work.packet.key);
  if (is_udp && (request.traits & trait_controlled)) work.after.assures = true;
}

// The connection's other side is of another family: translate_family.hpp goes on, with the request that it finds in work.claim, and
// the tag of the client's frames in work.tag.
PEN_INLINE bool changes_family(Work& work, const Flow& request, be16 vlan) {
  if (load_acquire(&request.found.record->key.family) == work.packet.key.family) return false;
  work.claim = {.record = record_number(request.found), .owner = owner_of(request.found.word)};
  work.tag = tag_of(vlan);
  return true;
}

// Gives the packet in hand, of the connection `request`, the virtual address back.
template <Platform P>
PEN_INLINE Next translate_reply(P& p, Work& work, const Flow& request, be16 vlan) {
  if (changes_family(work, request, vlan)) return Next::then_answer_as_ipv6;
  const Way way = __builtin_bit_cast(Way, request.detail);
  const Interface* egress = p.interface(way.interface);
  if (!egress || !egress->known) return drop(p, Reason::next_hop_unresolved);
  const Packet& packet = work.packet;
  if (packet.ttl <= 1) return refuse_reply(p, work, IcmpError::time_exceeded, Reason::ttl_exceeded, 0);
  if (egress->mtu != 0 && is_longer_than(p, packet, egress->mtu)) {
    if (packet.dont_fragment) return refuse_reply(p, work, IcmpError::too_big, Reason::too_big, egress->mtu);
    count_out(p, packet, request.server);  // and not when it comes again
    return hand_over(work, Punt::fragmentation);
  }
  const FlowKey key = key_of(request);
  if (!still_holds(request.found)) return drop(p, Reason::superseded);
  const Ends from = ends_of(packet.key);
  if (!decrement_ttl(p, packet)) return drop(p, Reason::bug);
  if (!write_ends(p, work, from, ends_back(key))) return drop(p, Reason::bug);
  if ((packet.tcp_flags & tcp_syn) && method_of(request.traits) == Method::fullnat)
    keep_room_for_toa(p, work, key.family);
  count_out(p, packet, request.server);
  if (!packet.is_later_fragment) {
    work.packet.key = key;  // from here on the packet is its connection's
    if (has_shifted_numbers(packet, request.traits)) work.shifted = Shifted::sequence;
    track(p, work, request, Direction::output);
    note_answer(work, request);
  }
  return send_back(p, work, way, *egress, vlan);
}

PEN_INLINE FlowKey key_from_server(const FlowKey& key) {
  return {.client = key.vip,
          .vip = key.client,
          .client_port = key.vip_port,
          .vip_port = key.client_port,
          .protocol = key.protocol,
          .family = key.family,
          .role = Role::reply};
}

// From a real server, but of no connection of its: it may be a client, too.
template <Platform P>
PEN_INLINE Next take_no_reply(P& p, Work& work) {
  work.packet.hash = hash_of(p.config().hash_key, work.packet.key);
  return work.to_us ? Next::then_take_request : Next::then_take_stray;
}

// A stage.
template <Platform P>
PEN_INLINE Next take_reply(P& p, Work& work) {
  const Settings* settings = p.settings();
  const FlowKey key = key_from_server(work.packet.key);
  const ReplyHashes hashes = hashes_of_reply(p.config().hash_key, key);
  work.packet.hash = hashes.own;
  fetch_first_choice(p, hashes.request);
  const Flow reply = find_flow(p, key, hashes.own, Guess::present);
  if (!settings || !reply.found.record) return take_no_reply(p, work);
  const Flow request = find_peer(p, __builtin_bit_cast(Peer, reply.detail));
  if (!request.found.record) return take_no_reply(p, work);
  keep_reply(*settings, reply, request.found.word);
  work.route.record = record_number(request.found);  // for the fragments that follow
  work.route.server = request.server;
  work.route.traits = static_cast<u8>(request.traits | trait_replies);
  if (is_ftp_control(p, work.packet, request)) {
    if (announces(p, work, request)) return hand_over(work, Punt::ftp_text);
    if (request.traits & trait_announces) return hand_over(work, Punt::ftp_follower);
  }
  return translate_reply(p, work, request, reply.local_port);
}

}  // namespace penstock
