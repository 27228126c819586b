// The packet path's platform in the kernel: an XDP context and the maps.
#pragma once

#include "datapath/bpf/tables.hpp"

// The steps: global functions, which the verifier takes by themselves, whatever leads to them (ADR-0007). Defined in
// balance.bpf.cpp.
extern "C" {
#define PEN_DECLARE_STEP(name) int penstock_##name(xdp_md* context, penstock::Work* work);
PEN_STEPS(PEN_DECLARE_STEP)
#undef PEN_DECLARE_STEP
}

namespace penstock {

// A scan over servers, as bpf_loop's callback sees it: some candidates a call.
struct ServerScan {
  Work* work;
};
static constexpr u32 candidates_per_call = 16;

class XdpPlatform : public BpfTables {
 public:
  PEN_INLINE explicit XdpPlatform(xdp_md* context) : context_(context) {}

  PEN_INLINE u8* data() const { return context_pointer<__builtin_offsetof(xdp_md, data)>(); }
  PEN_INLINE u8* data_end() const { return context_pointer<__builtin_offsetof(xdp_md, data_end)>(); }
  PEN_INLINE bool grow_head(u32 count) { return helpers::xdp_adjust_head(context_, -static_cast<int>(count)) == 0; }
  PEN_INLINE bool shrink_head(u32 count) { return helpers::xdp_adjust_head(context_, static_cast<int>(count)) == 0; }
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

  PEN_INLINE u32 ingress_index() const { return context_->ingress_ifindex; }

  PEN_INLINE Next leave_by(u32 interface) {
    if (interface == context_->ingress_ifindex) return Next::transmit;
    return static_cast<Next>(helpers::redirect(interface));
  }

  PEN_INLINE void examine_all(Work& work);

#define PEN_CALL_STEP(name) \
  PEN_INLINE u32 run_##name(Work& work) { return static_cast<u32>(penstock_##name(context_, &work)); }
  PEN_STEPS(PEN_CALL_STEP)
#undef PEN_CALL_STEP

 private:
  // Read by hand: the compiler takes the field for the 32-bit number it is declared as, keeps that and extends it, which the
  // verifier refuses for a pointer.
  template <u32 offset>
  PEN_INLINE u8* context_pointer() const {
    u8* pointer;
    asm volatile("%0 = *(u32 *)(%1 + %2)" : "=r"(pointer) : "r"(context_), "i"(offset));
    return pointer;
  }

  xdp_md* context_;
};

}  // namespace penstock
