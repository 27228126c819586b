// The steps of a BPF program: global functions, which the verifier takes by themselves, whatever leads to them (ADR-0007). Each
// program declares them for its own context and defines them for its own platform: PEN_STEPS over these.
#pragma once

#include "datapath/bpf/tables.hpp"

#define PEN_DECLARE_STEP(Context, name) int penstock_##name(Context* context, penstock::Work* work);

// Weak, so that the compiler leaves the calls as they are: it would drop an argument that a step doesn't use.
#define PEN_DEFINE_STEP(Platform, Context, name)                                                \
  __attribute__((noinline, weak)) int penstock_##name(Context* context, penstock::Work* work) { \
    if (!work) return 0;                                                                        \
    penstock::Platform platform(context);                                                       \
    return static_cast<int>(static_cast<penstock::u32>(penstock::name(platform, *work)));       \
  }

#define PEN_CALL_STEP(name) \
  PEN_INLINE u32 run_##name(Work& work) { return static_cast<u32>(penstock_##name(context_, &work)); }

namespace penstock {

// What XDP's context and TC's have in common.
template <typename Context>
class BpfFrame : public BpfTables {
 public:
  PEN_INLINE explicit BpfFrame(Context* context) : context_(context) {}

  PEN_INLINE u8* data() const { return context_pointer<__builtin_offsetof(Context, data)>(); }
  PEN_INLINE u8* data_end() const { return context_pointer<__builtin_offsetof(Context, data_end)>(); }

 protected:
  // Read by hand: the compiler takes the field for the 32-bit number it is declared as, keeps that and extends it, which the
  // verifier refuses for a pointer.
  template <u32 offset>
  PEN_INLINE u8* context_pointer() const {
    u8* pointer;
    asm volatile("%0 = *(u32 *)(%1 + %2)" : "=r"(pointer) : "r"(context_), "i"(offset));
    return pointer;
  }

  Context* context_;
};

}  // namespace penstock
