// Every way in which a packet ends or leaves the director's hands is counted here, and has a Reason.
#pragma once

#include "datapath/core/platform.hpp"
#include "datapath/core/wire.hpp"

namespace penstock {

template <Platform P>
PEN_INLINE void count(P& p, Reason reason) {
  if (ReasonCounters* counters = p.reason_counters()) counters->packets[static_cast<u32>(reason)] += 1;
}

// To the kernel's own stack.
template <Platform P>
PEN_INLINE Next pass(P& p, Reason reason) {
  count(p, reason);
  return Next::pass;
}

template <Platform P>
PEN_INLINE Next drop(P& p, Reason reason) {
  count(p, reason);
  return Next::drop;
}

// Bytes of the IP packet; of a datagram in fragments what it would have in one piece.
PEN_INLINE u32 counted_bytes(const Packet& packet) {
  if (packet.is_later_fragment) return network_offset + packet.ip_length - packet.transport;
  const bool has_fragment_header = packet.is_first_fragment && packet.key.family == Family::ipv6;
  return packet.ip_length - (has_fragment_header ? static_cast<u32>(sizeof(Ipv6Fragment)) : 0);
}

// IPVS counts what arrives for a connection before it is forwarded.
template <Platform P>
PEN_INLINE void count_in(P& p, const Packet& packet, u32 server) {
  ServerCounters* counters = p.was_counted() || packet.is_repeated ? nullptr : p.counters(server);
  if (!counters) return;
  counters->in_packets += packet.is_later_fragment ? 0 : 1;
  counters->in_bytes += counted_bytes(packet);
}

// The same, of a packet that is no fragment.
template <Platform P>
PEN_INLINE void count_whole_in(P& p, u32 ip_length, u32 server) {
  ServerCounters* counters = p.was_counted() ? nullptr : p.counters(server);
  if (!counters) return;
  counters->in_packets += 1;
  counters->in_bytes += ip_length;
}

template <Platform P>
PEN_INLINE void count_out(P& p, const Packet& packet, u32 server) {
  ServerCounters* counters = p.was_counted() || packet.is_repeated ? nullptr : p.counters(server);
  if (!counters) return;
  counters->out_packets += packet.is_later_fragment ? 0 : 1;
  counters->out_bytes += counted_bytes(packet);
}

// An ICMP error of `ip_length` bytes that goes out for a connection.
template <Platform P>
PEN_INLINE void count_error_out(P& p, u32 ip_length, u32 server) {
  ServerCounters* counters = p.counters(server);
  if (!counters) return;
  counters->out_packets += 1;
  counters->out_bytes += ip_length;
}

template <Platform P>
PEN_INLINE void count_connection(P& p, u32 server) {
  if (ServerCounters* counters = p.counters(server)) counters->connections += 1;
}

}  // namespace penstock
