// The packet path's platform as an XDP program: the driver's frame and the maps.
#pragma once

#include "datapath/bpf/examine.hpp"
#include "datapath/bpf/steps.hpp"
#include "datapath/core/checksum.hpp"
#include "datapath/core/vlan.hpp"

extern "C" {
#define PEN_DECLARE_XDP_STEP(name) PEN_DECLARE_STEP(xdp_md, name)
PEN_STEPS(PEN_DECLARE_XDP_STEP)
#undef PEN_DECLARE_XDP_STEP
}

namespace penstock {

class XdpPlatform : public BpfFrame<xdp_md> {
 public:
  using BpfFrame::BpfFrame;

  PEN_INLINE u32 length() const { return static_cast<u32>(data_end() - data()); }
  PEN_INLINE bool reach(u32) { return true; }
  PEN_INLINE bool open_head(u32 count) { return helpers::xdp_adjust_head(context_, -static_cast<int>(count)) == 0; }
  PEN_INLINE bool grow_head(u32 count) { return open_head(count); }
  PEN_INLINE bool wrap(const Wrapping&, u32 count) { return open_head(count); }
  PEN_INLINE bool shrink_head(u32 count) { return helpers::xdp_adjust_head(context_, static_cast<int>(count)) == 0; }
  PEN_INLINE bool change_family(Family, u32 before, u32 after) {
    return before <= after ? open_head(after - before) : shrink_head(before - after);
  }
  PEN_INLINE bool grow_tail(u32 count) { return helpers::xdp_adjust_tail(context_, static_cast<int>(count)) == 0; }
  PEN_INLINE bool cut_to(u32 length) {
    s64 present = data_end() - data();
    asm volatile(
        ""
        : "+r"(present));  // else the compiler subtracts from the pointer's low half, which the verifier refuses
    const s64 surplus = present - length;
    return surplus >= 0 && helpers::xdp_adjust_tail(context_, static_cast<int>(-surplus)) == 0;
  }
  PEN_INLINE bool copy_frame(u32 punted_row, u32 length) {
    PuntedFrame* frame = punted(punted_row);
    u32 last = length - 1;
    PEN_FORGET(last);  // what follows is all that the verifier knows of it
    if (!frame || last >= punted_bytes_max) return false;
    return helpers::xdp_load_bytes(context_, 0, frame->bytes, last + 1) == 0;
  }

  PEN_INLINE bool is_tagged(be16 type) const { return is_tag(type); }
  PEN_INLINE VlanTag take_tag() { return take_tag_of_frame(*this); }
  PEN_INLINE bool put_tag(const VlanTag& tag) { return put_tag_into_frame(*this, tag); }

  PEN_INLINE u32 segment_payload() const { return 0; }
  PEN_INLINE bool owes_checksum(u32) { return false; }
  PEN_INLINE bool change_checksum(u16* checksum, u32, const ChecksumChange& change) {
    *checksum = changed_checksum(*checksum, change);
    return true;
  }

  PEN_INLINE u32 ingress_index() const { return context_->ingress_ifindex; }

  PEN_INLINE Next leave_by(u32 interface) {
    if (interface == context_->ingress_ifindex) return Next::transmit;
    return static_cast<Next>(helpers::redirect(interface));
  }

  PEN_INLINE void examine_all(Work& work);

  PEN_STEPS(PEN_CALL_STEP)
};

}  // namespace penstock

PEN_EXAMINE_BY_LOOP(XdpPlatform)
