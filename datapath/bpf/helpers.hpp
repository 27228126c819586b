// The BPF helpers in use, by their numbers (linux/bpf.h); libbpf's own header of them is C only.
#pragma once

#include "datapath/abi/types.hpp"
#include "datapath/core/inline.hpp"

struct xdp_md;

namespace penstock::helpers {

PEN_INLINE void* map_lookup(void* map, const u32* index) {
  return reinterpret_cast<void* (*)(void*, const void*)>(1)(map, index);
}

PEN_INLINE u32 processor_id() { return static_cast<u32>(reinterpret_cast<long (*)()>(8)()); }

PEN_INLINE long redirect(u32 interface) { return reinterpret_cast<long (*)(u32, u64)>(23)(interface, 0); }

PEN_INLINE long xdp_adjust_head(xdp_md* context, int delta) {
  return reinterpret_cast<long (*)(xdp_md*, int)>(44)(context, delta);
}

PEN_INLINE long xdp_adjust_tail(xdp_md* context, int delta) {
  return reinterpret_cast<long (*)(xdp_md*, int)>(65)(context, delta);
}

PEN_INLINE long loop(u32 count, long (*each)(u64, void*), void* context) {
  return reinterpret_cast<long (*)(u32, void*, void*, u64)>(181)(count, reinterpret_cast<void*>(each), context, 0);
}

PEN_INLINE long xdp_load_bytes(xdp_md* context, u32 offset, void* to, u32 length) {
  return reinterpret_cast<long (*)(xdp_md*, u32, void*, u32)>(189)(context, offset, to, length);
}

PEN_INLINE u64 jiffies() { return reinterpret_cast<u64 (*)()>(118)(); }

}  // namespace penstock::helpers
