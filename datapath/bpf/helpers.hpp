// The BPF helpers in use, by their numbers (linux/bpf.h); libbpf's own header of them is C only.
#pragma once

#include "datapath/abi/types.hpp"
#include "datapath/core/inline.hpp"

struct xdp_md;
struct __sk_buff;

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

// The first `length` bytes can be read and written by pointer.
PEN_INLINE long skb_pull_data(__sk_buff* context, u32 length) {
  return reinterpret_cast<long (*)(__sk_buff*, u32)>(39)(context, length);
}

PEN_INLINE long skb_load_bytes(__sk_buff* context, u32 offset, void* to, u32 length) {
  return reinterpret_cast<long (*)(const __sk_buff*, u32, void*, u32)>(26)(context, offset, to, length);
}

PEN_INLINE long skb_change_tail(__sk_buff* context, u32 length) {
  return reinterpret_cast<long (*)(__sk_buff*, u32, u64)>(38)(context, length, 0);
}

PEN_INLINE long skb_change_head(__sk_buff* context, u32 count) {
  return reinterpret_cast<long (*)(__sk_buff*, u32, u64)>(43)(context, count, 0);
}

// BPF_ADJ_ROOM_MAC: behind the Ethernet header.
PEN_INLINE long skb_adjust_room(__sk_buff* context, int delta, u64 flags) {
  return reinterpret_cast<long (*)(__sk_buff*, int, u32, u64)>(50)(context, delta, 1, flags);
}

// The IP header becomes one of that EtherType's, 20 bytes longer or shorter, and the kernel's notes on the packet with it.
PEN_INLINE long skb_change_proto(__sk_buff* context, be16 type) {
  return reinterpret_cast<long (*)(__sk_buff*, u16, u64)>(31)(context, static_cast<u16>(type), 0);
}

PEN_INLINE long skb_vlan_push(__sk_buff* context, u16 type, u16 control) {
  return reinterpret_cast<long (*)(__sk_buff*, u16, u16)>(18)(context, type, control);
}

PEN_INLINE long skb_vlan_pop(__sk_buff* context) { return reinterpret_cast<long (*)(__sk_buff*)>(19)(context); }

PEN_INLINE long skb_store_bytes(__sk_buff* context, u32 offset, const void* from, u32 length) {
  return reinterpret_cast<long (*)(__sk_buff*, u32, const void*, u32, u64)>(9)(context, offset, from, length, 0);
}

// Of `bytes` 2 or 4 a field of the segment changes from one value to another, both as on the wire. An owed checksum stays.
PEN_INLINE long l4_checksum_replace(__sk_buff* context, u32 offset, u64 from, u64 to, u64 bytes) {
  return reinterpret_cast<long (*)(__sk_buff*, u32, u64, u64, u64)>(11)(context, offset, from, to, bytes);
}

// A change by `difference`, of the kind that `flags` says.
PEN_INLINE long l4_checksum_change(__sk_buff* context, u32 offset, u32 difference, u64 flags) {
  return reinterpret_cast<long (*)(__sk_buff*, u32, u64, u64, u64)>(11)(context, offset, 0, difference, flags);
}

PEN_INLINE u64 jiffies() { return reinterpret_cast<u64 (*)()>(118)(); }

}  // namespace penstock::helpers
