// The packet path on one page: what the director does with a frame that arrives. Runs in the kernel as XDP and natively.
#pragma once

#include "datapath/core/classify.hpp"
#include "datapath/core/connection.hpp"
#include "datapath/core/forward_direct.hpp"
#include "datapath/core/parse.hpp"

namespace penstock {

// IPVS, conn_reuse_mode: a SYN that meets a connection which is over begins a new one. With direct forwarding FIN_WAIT may be
// over too (bit 2), as the director can't see the other side's FIN.
template <Platform P>
PEN_INLINE bool is_reused(P& p, const Packet& packet, const Flow& flow) {
  if (!is_tcp(packet.key) || (packet.tcp_flags & (tcp_syn | tcp_rst)) != tcp_syn) return false;
  const Settings* settings = p.settings();
  if (!settings || settings->conn_reuse_mode == 0) return false;
  const TcpState state = static_cast<TcpState>(state_of(flow.found.word));
  if (state == TcpState::time_wait || state == TcpState::close) return true;
  return (settings->conn_reuse_mode & 2) && state == TcpState::fin_wait;
}

// The server's present route, if the connection still belongs to it.
PEN_INLINE ServerRoute route_of(const RealServer* server) {
  const u64 word = load_acquire(reinterpret_cast<const u64*>(&server->route));
  return __builtin_bit_cast(ServerRoute, word);
}

PEN_INLINE bool is_alive(const Flow& flow, const ServerRoute& route) {
  return route.available && route.generation == flow.generation;
}

template <Platform P>
PEN_INLINE Outcome forward(P& p, const Packet& packet, u32 server, Method method, const ServerRoute& route) {
  count_in(p, packet, server);
  switch (method) {
    case Method::direct:
      return forward_direct(p, packet, server, route.next_hop);
    case Method::nat:
    case Method::local:
    case Method::tunnel:
    case Method::fullnat:
      break;
  }
  return settled(drop(p, Reason::bug));  // the control plane programs no other method yet
}

// The kernel drops what has a wrong header checksum before IPVS sees it. Asked of new connections only: for known ones the real
// server's kernel does it.
template <Platform P>
PEN_INLINE bool is_intact(const P& p, const Packet& packet) {
  return packet.key.family == Family::ipv6 || is_ipv4_header_intact(p, (packet.transport - network_offset) / 4);
}

// A packet that belongs to no connection: to the kernel, to a new connection's real server, or back as an error.
template <Platform P>
PEN_INLINE Outcome balance_new(P& p, const Packet& packet) {
  const Offer offer = find_service(p, packet);
  if (!offer.exists) return settled(pass(p, Reason::pass_no_service));
  if (!has_unicast_source(packet.key) || !is_intact(p, packet)) return settled(pass(p, Reason::pass_malformed));
  if (!may_begin_connection(p, packet)) return settled(pass(p, Reason::pass_no_connection));
  const u32 slot = schedule(p, offer.schedule);
  if (slot == no_server) return refused(IcmpError::port_unreachable, Reason::no_destination, no_server);
  const RealServer* server = p.server(slot);
  if (!server) return settled(drop(p, Reason::bug));
  const Insertion made = save_connection(p, packet, slot, route_of(server));
  if (!made.saved) return settled(drop(p, Reason::connection_table_full));
  const RealServer* chosen = p.server(made.server);  // another CPU's choice, if that was faster
  if (!chosen) return settled(drop(p, Reason::bug));
  return forward(p, packet, made.server, made.method, route_of(chosen));
}

template <Platform P>
PEN_INLINE Outcome balance_known(P& p, const Packet& packet, const Flow& flow) {
  const RealServer* server = p.server(flow.server);
  if (!server) return settled(drop(p, Reason::bug));
  const ServerRoute route = route_of(server);
  if (!is_alive(flow, route)) return settled(drop(p, Reason::server_removed));
  track(p, packet, flow);
  return forward(p, packet, flow.server, flow.method, route);
}

template <Platform P>
PEN_INLINE Verdict balance(P& p) {
  Packet packet{};
  const Parsed network = parse_network(p, packet);
  if (!network.ok) return pass(p, network.reason);
  if (!is_virtual(p, packet)) return pass(p, Reason::pass_not_virtual);
  const Parsed transport = parse_transport(p, packet);
  if (!transport.ok) return pass(p, transport.reason);
  packet.hash = hash_of(p.config().hash_key, packet.key);

  Flow flow = find_connection(p, packet);
  if (flow.found.record && is_reused(p, packet, flow)) {
    end_connection(p, flow);
    flow = no_flow;
  }
  const Outcome outcome = flow.found.record ? balance_known(p, packet, flow) : balance_new(p, packet);
  return conclude(p, packet, outcome);
}

}  // namespace penstock
