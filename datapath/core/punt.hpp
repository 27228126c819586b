// Handing a frame to the daemon (abi/punt.hpp): the way of what can't be done with one frame in and one frame out.
#pragma once

#include "datapath/core/atomic.hpp"
#include "datapath/core/count.hpp"
#include "datapath/core/owed.hpp"
#include "datapath/core/vlan.hpp"

namespace penstock {

// Rows that are looked at for a free one.
static constexpr u32 punt_attempts = 8;

PEN_INLINE Reason reason_of(Punt why) {
  switch (why) {
    case Punt::early_fragment:
      return Reason::fragment_waits;
    case Punt::fragmentation:
      return Reason::to_be_fragmented;
    case Punt::ftp_text:
    case Punt::ftp_follower:
      return Reason::ftp_text;
  }
  return Reason::bug;
}

// Where a row is looked for. What one side of FTP's control connection says stays in order.
PEN_INLINE u32 first_row(const Work& work) {
  const bool is_ftp = work.punt == Punt::ftp_text || work.punt == Punt::ftp_follower;
  return static_cast<u32>(work.packet.hash) ^ (is_ftp ? 0 : work.packet.fragment_id);
}

// A stage: the frame goes into a row of its own, without its VLAN tag, which stands beside it, and is dropped here.
template <Platform P>
PEN_INLINE Next punt(P& p, Work& work) {
  work.tag = {};
  const u32 length = p.length();
  const bool owes = owes_checksum(p, work.packet);
  const u32 start = first_row(work);
  PEN_ROLLED
  for (u32 i = 0; i < punt_attempts; ++i) {
    const u32 row = (start + i) % punted_max;
    PuntedFrame* frame = p.punted(row);
    if (!frame || load_acquire(&frame->word) != punt_free) continue;
    if (!compare_exchange(&frame->word, punt_free, punt_claimed)) continue;
    frame->length = length;
    frame->interface = p.ingress_index();
    frame->ticks = p.now();
    frame->why = work.punt;
    frame->owes_checksum = owes;
    frame->tag_type = work.packet.tag.type;
    frame->tag_control = work.packet.tag.control;
    const bool copied = length <= punted_bytes_max && p.copy_frame(row, length);
    exchange(&frame->word, copied ? punt_ready : punt_free);
    return drop(p, copied ? reason_of(work.punt) : Reason::punt_full);
  }
  return drop(p, Reason::punt_full);
}

PEN_INLINE Next hand_over(Work& work, Punt why) {
  work.punt = why;
  return Next::then_punt;
}

}  // namespace penstock
