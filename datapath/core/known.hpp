// A packet of a connection that is known, and the way to it from a packet with ports.
#pragma once

#include "datapath/core/begin.hpp"
#include "datapath/core/reply.hpp"
#include "datapath/core/table_fetch.hpp"

namespace penstock {

// IPVS's "new" packets: a TCP segment with SYN, SYN+ACK included; an SCTP INIT.
PEN_INLINE bool is_opening(const Packet& packet) {
  if (is_tcp(packet.key)) return packet.event == static_cast<u8>(TcpEvent::syn);
  return is_sctp(packet.key) && packet.event == static_cast<u8>(SctpEvent::init);
}

// IPVS, conn_reuse_mode: what opens a connection that is over begins a new one. One-sided, FIN_WAIT may be over too (bit 2),
// as the director can't see the other side's FIN.
PEN_INLINE bool is_over_for(const Settings& settings, const Packet& packet, const Flow& flow) {
  const u32 mode = load_acquire(&settings.conn_reuse_mode);
  if (mode == 0 || (flow.traits & trait_controlled)) return false;  // IPVS: is_new_conn_expected
  const u32 state = state_of(flow.found.word);
  if (is_sctp(packet.key)) return state == static_cast<u32>(SctpState::closed);
  if (state == static_cast<u32>(TcpState::time_wait) || state == static_cast<u32>(TcpState::close)) return true;
  return (mode & 2) && state == static_cast<u32>(TcpState::fin_wait) && !is_translating(method_of(flow.traits));
}

template <Platform P>
PEN_INLINE bool is_quiesced(P& p, u32 server) {
  const ServerLoad* load = p.load(server);
  return load && load_acquire(&load->weight) == 0;
}

// Whether a packet that opens a connection ends the one it meets.
template <Platform P>
PEN_INLINE bool is_superseded(P& p, const Packet& packet, const Flow& flow) {
  const Settings* settings = p.settings();
  if (!settings) return false;
  if (load_acquire(&settings->expire_nodest_conn) != 0 && is_quiesced(p, flow.server)) return true;
  return is_over_for(*settings, packet, flow);
}

// The server is gone: the packet with it, or, if expire_nodest_conn says so, it may begin anew.
template <Platform P>
PEN_INLINE Next take_orphan(P& p, const Flow& flow) {
  const Settings* settings = p.settings();
  if (!settings || load_acquire(&settings->expire_nodest_conn) == 0) return drop(p, Reason::server_removed);
  end_connection(p, flow);
  return Next::then_begin;
}

// A client that has moved to another neighbour is answered there.
template <Platform P>
PEN_INLINE void keep_way(P& p, Work& work, const Flow& flow) {
  const u64 way = __builtin_bit_cast(u64, way_of(p));
  if (way == flow.detail) return;
  store_release(&flow.found.record->detail, way);
  if (needs_reply_record(flow.traits)) p.run_move_reply(work);
}

template <Platform P>
PEN_INLINE Next take_known(P& p, Work& work, const Flow& flow) {
  const RealServer* server = p.server(flow.server);
  if (!server) return drop(p, Reason::bug);
  const ServerRoute route = route_of(server);
  if (!is_alive(flow, route)) return take_orphan(p, flow);
  const Method method = method_of(flow.traits);
  track(p, work, flow, direction_of(flow.traits));
  if (method == Method::direct && !work.packet.is_first_fragment) {
    count_whole_in(p, work.packet.ip_length, flow.server);
    return forward_direct(p, work, flow.server, route.next_hop);
  }
  if (is_translating(method)) keep_way(p, work, flow);
  if (method == Method::nat && tells_port(p, work, flow, route)) return hand_over(work, Punt::ftp_text);
  take_route(work, flow, route);
  return forward_by(p, work, method);
}

// FTP's data, from a port that only now is known.
template <Platform P>
PEN_INLINE bool may_be_expected(P& p, const Packet& packet) {
  const SharedState* shared = p.shared();
  return shared && is_tcp(packet.key) && holds(load_acquire(&shared->expected_until), p.now());
}

// A stage: a packet of no connection belongs to one that FTP announced, or begins one.
template <Platform P>
PEN_INLINE Next take_expected(P& p, Work& work) {
  FlowKey key = work.packet.key;
  key.client_port = be16{};
  const Flow expected = find_flow(p, key, Guess::absent);
  const RealServer* server = expected.found.record ? p.server(expected.server) : nullptr;
  if (!server) return Next::then_begin;
  const ServerRoute route = route_of(server);
  if (!is_alive(expected, route)) return take_orphan(p, expected);
  end_connection(p, expected);
  work.is_expected = true;
  work.offer = {};
  take_route(work, expected, route);
  return Next::then_connect;
}

// A stage: a packet with ports to a virtual address.
template <Platform P>
PEN_INLINE Next take_request(P& p, Work& work) {
  const Packet& packet = work.packet;
  const bool opens = is_opening(packet);
  if (opens) fetch_first_choice(p, packet.hash);
  Flow flow = find_flow(p, packet.key, packet.hash, opens ? Guess::absent : Guess::present);
  if (flow.found.record && opens && is_superseded(p, packet, flow)) {
    end_connection(p, flow);
    flow = no_flow;
  }
  if (flow.found.record) return take_known(p, work, flow);
  fetch_vacancy(p, packet.hash);
  return may_be_expected(p, packet) ? Next::then_take_expected : Next::then_begin;
}

// A packet with ports, of which the gate has said something.
template <Platform P>
PEN_INLINE Next take_flow(P& p, Work& work, const Gate& gate) {
  if (gate.from_server) {
    work.to_us = gate.to_us;
    return Next::then_take_reply;
  }
  work.packet.hash = hash_of_request(p.config().hash_key, work.packet.key);
  return take_request(p, work);
}

// A stage: from a real server, but no reply. IPVS, nat_icmp_send: from a port of a service of its own it is refused.
template <Platform P>
PEN_INLINE Next take_stray(P& p, Work& work) {
  const Packet& packet = work.packet;
  const Settings* settings = p.settings();
  if (!settings || load_acquire(&settings->nat_icmp_send) == 0 || packet.is_portless)
    return pass(p, Reason::pass_no_reply);
  const bool resets = is_tcp(packet.key) ? (packet.tcp_flags & tcp_rst) != 0
                                         : is_sctp(packet.key) && packet.event == static_cast<u8>(SctpEvent::abort);
  const ServiceKey as_server{.vip = packet.key.client,
                             .port = packet.key.client_port,
                             .protocol = packet.key.protocol,
                             .family = packet.key.family,
                             .mark = mark_of_server};
  if (resets || packet.ttl <= 1 || !find_offer(p, as_server, work.offer)) return pass(p, Reason::pass_no_reply);
  if (!decrement_ttl(p, packet)) return drop(p, Reason::bug);  // the kernel has, before it asks IPVS
  return refuse_with(p, work, IcmpError::port_unreachable, Reason::no_reply_connection, no_slot, 0, Sender::director);
}

}  // namespace penstock
