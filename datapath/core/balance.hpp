// The packet path on one page: what the director does with a frame that arrives. Runs in the kernel, as XDP or TC, and natively.
#pragma once

#include "datapath/core/clear.hpp"
#include "datapath/core/crc32c.hpp"
#include "datapath/core/forward_fullnat.hpp"
#include "datapath/core/forward_nat.hpp"
#include "datapath/core/forward_tunnel.hpp"
#include "datapath/core/icmp.hpp"
#include "datapath/core/known.hpp"
#include "datapath/core/shift.hpp"
#include "datapath/core/translate_family.hpp"
#include "datapath/core/translate_icmp.hpp"
#include "datapath/core/unusual.hpp"
#include "datapath/core/vlan.hpp"

namespace penstock {

// Neither to a virtual address nor from a real server. An ICMP error may still be about one of our connections.
template <Platform P>
PEN_INLINE Next take_foreign(P& p, const Work& work) {
  return is_icmp(work.packet) && !is_fragment(work.packet) ? Next::then_take_icmp : pass(p, Reason::pass_not_virtual);
}

// Without a transport header that has ports, at least not right behind the IP header.
template <Platform P>
PEN_INLINE Next take_other(P& p, const Packet& packet, Reason reason) {
  if (has_extensions(packet)) return Next::then_take_unusual;
  return reason == Reason::pass_icmp ? Next::then_take_icmp : pass(p, reason);
}

template <Platform P>
PEN_INLINE Next take_packet(P& p, Work& work, const EthernetHeader& ethernet) {
  Packet& packet = work.packet;
  const Parsed network = parse_network(p, ethernet, packet);
  if (!network.ok) return pass(p, network.reason);
  const Gate gate = gate_of(p, packet.key);
  if (!gate.to_us && !gate.from_server) return take_foreign(p, work);
  if (is_fragment(packet)) return Next::then_take_unusual;
  const Parsed transport = parse_transport(p, packet);
  return transport.ok ? take_flow(p, work, gate) : take_other(p, packet, transport.reason);
}

// A stage.
template <Platform P>
PEN_INLINE Next take_untagged(P& p, Work& work) {
  work.packet.tag = p.take_tag();
  work.tag = work.packet.tag;  // unless it leaves by another way
  const auto* ethernet = header_at<EthernetHeader>(p, 0);
  return is_tag(work.tag.type) && ethernet ? take_packet(p, work, *ethernet) : pass(p, Reason::pass_not_ip);
}

template <Platform P>
PEN_INLINE Next run_stage(P& p, Work& work, Next stage) {
  switch (stage) {
#define PEN_RUN_STAGE(name) \
  case Next::then_##name:   \
    return static_cast<Next>(p.run_##name(work));
    PEN_STAGES(PEN_RUN_STAGE)
#undef PEN_RUN_STAGE
    case Next::aborted:
    case Next::drop:
    case Next::pass:
    case Next::transmit:
    case Next::redirect:
      break;
  }
  return drop(p, Reason::bug);
}

// The longest way: untagged, unusual, reply, seek, request, expected, begin, known, choose, cache, forget, keep, claim, connect, bind,
// forward, fullnat, as_ipv4, punt; and one to spare.
static constexpr u32 stages_max = 20;

PEN_INLINE bool leaves_work(const Work& work) {
  return work.tag.type != be16{} || __builtin_bit_cast(u32, work.after) != 0;
}

// What a packet leaves to be done when its own fate is settled.
template <Platform P>
PEN_INLINE Next tidy_up(P& p, Work& work, Next verdict) {
  if (work.after.ended != 0) p.run_end_replies(work);
  if (work.after.assures) p.run_assure(work);
  if (work.shifted != Shifted::none) p.run_shift_numbers(work);
  work.verdict = static_cast<u32>(verdict);
  if (work.after.remembers) p.run_remember_fragments(work);
  return work.tag.type == be16{} ? verdict : static_cast<Next>(p.run_leave_tagged(work));
}

// A helper: work.verdict, for a frame that leaves with a tag.
template <Platform P>
PEN_INLINE Next leave_tagged(P& p, Work& work) {
  const Next verdict = static_cast<Next>(work.verdict);
  if (verdict == Next::drop || verdict == Next::aborted) return verdict;
  return p.put_tag(work.tag) ? verdict : drop(p, Reason::no_room);
}

// What parsing doesn't write in each packet.
PEN_INLINE void begin_work(Work& work) {
  static_assert(static_cast<u32>(Shifted::none) == 0);
  clear_words<__builtin_offsetof(Work, packet.key.client_port), __builtin_offsetof(Work, quote)>(work);
}

template <Platform P>
PEN_INLINE Verdict balance(P& p) {
  Work* work = p.work();
  const auto* ethernet = header_at<EthernetHeader>(p, 0);
  if (!work || !ethernet) return static_cast<Verdict>(pass(p, Reason::pass_malformed));
  begin_work(*work);
  Next next = p.is_tagged(ethernet->type) ? Next::then_take_untagged : take_packet(p, *work, *ethernet);
  if (!is_final(next) || leaves_work(*work)) {
    PEN_ROLLED
    for (u32 i = 0; i < stages_max && !is_final(next); ++i) next = run_stage(p, *work, next);
    if (!is_final(next)) next = drop(p, Reason::bug);
    next = tidy_up(p, *work, next);
  }
  return static_cast<Verdict>(next);
}

}  // namespace penstock
