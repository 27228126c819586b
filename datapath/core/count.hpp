// Every way in which a packet ends or leaves the director's hands is counted here, and has a Reason.
#pragma once

#include "datapath/core/platform.hpp"

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

// IPVS counts what arrives for a connection before it is forwarded, in bytes of the IP packet.
template <Platform P>
PEN_INLINE void count_in(P& p, u32 ip_length, u32 server) {
  ServerCounters* counters = p.counters(server);
  if (!counters) return;
  counters->in_packets += 1;
  counters->in_bytes += ip_length;
}

// A reply, or an ICMP error that the director itself sends for a connection.
template <Platform P>
PEN_INLINE void count_out(P& p, u32 ip_length, u32 server) {
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
