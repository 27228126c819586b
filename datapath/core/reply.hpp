// Packets from real servers: of nat and fullnat they get the virtual address back, and leave by the way the client's packets
// come (IPVS: ip_vs_out, handle_response; ADR-0008).
#pragma once

#include "datapath/core/answered.hpp"
#include "datapath/core/ftp.hpp"
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

// IPVS marks a UDP connection's template when the server answers. fullnat tells the client's address until then.
PEN_INLINE void note_answer(Work& work, const Flow& request) {
  if (request.traits & trait_answered) return;
  if (is_tcp(work.packet.key) && (work.packet.tcp_flags & tcp_syn)) return;
  set_trait(request.found.record, trait_answered);
  const bool is_udp = !is_tcp(work.packet.key) && !is_sctp(work.packet.key);
  if (is_udp && (request.traits & trait_controlled)) work.after.assures = true;
}

// The packet in hand is of the connection `key` from here on. By a reply's record it came only if it changes nothing (is_settled).
template <Platform P>
PEN_INLINE void take_answer(P& p, Work& work, const Flow& request, const FlowKey& key) {
  if (key.role == Role::reply) return;
  work.packet.key = key;
  track(p, work, request, Direction::output);
  note_answer(work, request);
}

// The connection's other side is of another family: translate_family.hpp goes on, with the request that it finds in work.claim, and
// the tag of the client's frames in work.tag.
PEN_INLINE bool changes_family(Work& work, const Flow& request, be16 vlan) {
  if (load_acquire(&request.found.record->key.family) == work.packet.key.family) return false;
  work.claim = peer_of(request);
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
    if (has_shifted_numbers(packet, request.traits)) work.shifted = Shifted::sequence;
    take_answer(p, work, request, key);
  }
  return send_back(p, work, way, *egress, vlan);
}

// From a real server, but of no connection of its: it may be a client, too.
template <Platform P>
PEN_INLINE Next take_no_reply(P& p, Work& work) {
  work.packet.hash = hash_of(p.config().hash_key, work.packet.key);
  return work.to_us ? Next::then_take_request : Next::then_take_stray;
}

// How long a reply's record does without its request, in ticks: if only the real server sends, the request's time ends so much early. A
// state that the client changes meanwhile it learns from the sweeper, within a second.
PEN_INLINE u32 lag_of(const Settings& settings, u32 timeout) {
  return smaller(4 * settings.ticks_per_second, timeout / 8);
}

// Whether the packet in hand changes nothing in the connection that its reply's record did not know a moment ago.
template <Platform P>
PEN_INLINE bool is_settled(const P& p, const Settings& settings, const Packet& packet, const Flow& reply) {
  if (!(reply.traits & trait_answered) || packet.is_first_fragment || is_ftp_control(p, packet, reply)) return false;
  const u32 state = state_of(reply.found.word);
  const Standing standing = next_standing(settings, packet, state, Direction::output);
  const u32 moved = p.now() + standing.timeout - expires_of(reply.found.word);
  return standing.state == state && moved <= lag_of(settings, standing.timeout);
}

// The reply's record becomes what the packet in hand makes of the request.
template <Platform P>
PEN_INLINE void follow(const P& p, const Settings& settings, const Packet& packet, const Flow& reply,
                       const Flow& request) {
  const Standing standing = next_standing(settings, packet, state_of(request.found.word), Direction::output);
  if (request.traits & ~reply.traits & trait_answered) set_trait(reply.found.record, trait_answered);
  compare_exchange(&reply.found.record->word, reply.found.word,
                   with_state(reply.found.word, standing.state, p.now() + standing.timeout));
}

// The request of a reply's record. No record: the packet is no reply after all.
template <Platform P>
PEN_INLINE Flow followed(P& p, const Settings& settings, const Packet& packet, const Flow& reply) {
  const Flow request = find_request(p, reply, Guess::present);
  if (request.found.record) follow(p, settings, packet, reply, request);
  return request;
}

// A stage: the packet's connection is not where it probably is.
template <Platform P>
PEN_INLINE Next seek_answered(P& p, Work& work) {
  const Flow found = find_answered(p, work, key_from_server(work.packet.key));
  if (!found.found.record) return take_no_reply(p, work);
  work.sought = peer_of(found);
  work.is_sought = true;
  return Next::then_take_reply;
}

// A stage.
template <Platform P>
PEN_INLINE Next take_reply(P& p, Work& work) {
  const Settings* settings = p.settings();
  Flow flow =
      work.is_sought ? find_peer(p, work.sought) : guess_answered(p, key_from_server(work.packet.key), work.to_us);
  if (!settings || !flow.found.record) return work.is_sought ? take_no_reply(p, work) : Next::then_seek_answered;
  const bool by_record = is_reply(flow);
  const be16 tag = client_tag(flow, by_record);
  if (!by_record || !is_settled(p, *settings, work.packet, flow)) {
    if (by_record) flow = followed(p, *settings, work.packet, flow);
    if (!flow.found.record) return take_no_reply(p, work);
    work.route.record = record_number(flow.found);  // for the fragments that follow
    work.route.server = flow.server;
    work.route.traits = static_cast<u8>(flow.traits | trait_replies);
    if (is_ftp_control(p, work.packet, flow)) {
      if (announces(p, work, flow)) return hand_over(work, Punt::ftp_text);
      if (flow.traits & trait_announces) return hand_over(work, Punt::ftp_follower);
    }
  }
  return translate_reply(p, work, flow, tag);
}

}  // namespace penstock
