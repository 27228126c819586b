// What was decided about a packet, as a value: a verdict, or an ICMP error to answer it with. Building the error is left to the
// end of the packet path, where it stands once.
#pragma once

#include "datapath/core/classify.hpp"
#include "datapath/core/count.hpp"
#include "datapath/core/icmp_error.hpp"

namespace penstock {

struct Outcome {
  Verdict verdict;
  bool refused;
  IcmpError error;
  Reason reason;
  u32 mtu;     // for too_big
  u32 server;  // whose connection the refused packet belongs to, or no_server
};

PEN_INLINE Outcome settled(Verdict verdict) { return {verdict, false, {}, {}, 0, no_server}; }

PEN_INLINE Outcome refused(IcmpError error, Reason reason, u32 server, u32 mtu = 0) {
  return {Verdict::drop, true, error, reason, mtu, server};
}

// Carries the outcome out.
template <Platform P>
PEN_INLINE Verdict conclude(P& p, const Packet& packet, const Outcome& outcome) {
  if (!outcome.refused) return outcome.verdict;
  count(p, outcome.reason);
  const u32 length = build_icmp_error(p, packet, outcome.error, outcome.mtu);
  if (length == 0) return drop(p, Reason::no_room_for_reply);
  if (outcome.server != no_server) count_out(p, length, outcome.server);
  return Verdict::transmit;
}

}  // namespace penstock
