// What the director's own kernel sends: replies of real servers that are the director itself (IPVS: ip_vs_out in LOCAL_OUT). The
// kernel sends them, whatever is found here; their connection takes them into its state, and those of nat get the virtual address
// back.
#pragma once

#include "datapath/core/balance.hpp"

namespace penstock {

// No fragment, with ports, of an address that may be a service's or a real server's.
template <Platform P>
PEN_INLINE bool parse_own(P& p, Packet& packet) {
  const auto* ethernet = header_at<EthernetHeader>(p, 0);
  if (!ethernet || !parse_ip(p, ethernet->type, packet).ok) return false;
  if (is_fragment(packet) || is_ipv6_extension(packet.protocol)) return false;
  const VipFilter* filter = p.vip_filter();
  const u32 bit = vip_filter_bit(packet.key.client);
  if (!filter || !(is_set(filter->bits, bit) || is_set(filter->servers, bit))) return false;
  return parse_transport(p, packet).ok && !packet.is_portless;
}

// From here on the director sees both sides of the connection (IPVS: IP_VS_CONN_F_NOOUTPUT goes); of nat it always does.
template <Platform P>
PEN_INLINE void note_own_reply(P& p, Work& work, const Flow& request) {
  count_out(p, work.packet, request.server);
  work.packet.key = key_of(request);
  track(p, work, request, Direction::output);
  if (is_translating(method_of(request.traits))) return note_answer(work, request);
  if (request.traits & trait_seen_reply) return;
  set_trait(request.found.record, trait_seen_reply);
  const bool is_stateless = !is_tcp(work.packet.key) && !is_sctp(work.packet.key);
  if (is_stateless && (request.traits & trait_controlled)) work.after.assures = true;
}

// nat to an address of the director.
template <Platform P>
PEN_INLINE bool translate_own(P& p, Work& work) {
  const Flow found = find_answered(p, work, key_from_server(work.packet.key));
  const Flow request = found.found.record ? request_of(p, found) : no_flow;
  if (!request.found.record || method_of(request.traits) != Method::nat) return false;
  if (!write_ends(p, work, ends_of(work.packet.key), ends_back(key_of(request)))) return false;
  note_own_reply(p, work, request);
  return true;
}

// A frame on its way out that the director's kernel has made.
template <Platform P>
PEN_INLINE void watch_own(P& p) {
  Work* work = p.work();
  if (!work) return;
  begin_work(*work);
  if (!parse_own(p, work->packet)) return;
  if (!translate_own(p, *work)) {
    const Flow request = find_flow(p, turned(work->packet.key, Role::request), Guess::present);
    if (request.found.record && !is_translating(method_of(request.traits))) note_own_reply(p, *work, request);
  }
  if (work->after.assures) p.run_assure(*work);
}

}  // namespace penstock
