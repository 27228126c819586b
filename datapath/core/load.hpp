// A server's load: how many connections, and whether they are too many (IPVS: ip_vs_bind_dest, ip_vs_unbind_dest).
#pragma once

#include "datapath/abi/server.hpp"
#include "datapath/core/atomic.hpp"
#include "datapath/core/states.hpp"

namespace penstock {

PEN_INLINE s32 total_of(const ServerLoad* load) { return load_acquire(&load->active) + load_acquire(&load->inactive); }

// A new connection. The count grows before the record can be seen, and ended by another CPU.
PEN_INLINE void bind_load(ServerLoad* load, bool active) {
  add(active ? &load->active : &load->inactive, 1);
  const u32 upper = load_acquire(&load->upper_threshold);
  if (upper != 0 && total_of(load) >= static_cast<s32>(upper)) store_release(&load->overloaded, 1U);
}

// Below the lower threshold, or below three quarters of the upper one.
PEN_INLINE bool is_relieved(const ServerLoad* load) {
  const s32 total = total_of(load);
  const u32 lower = load_acquire(&load->lower_threshold);
  const u32 upper = load_acquire(&load->upper_threshold);
  if (lower != 0) return total < static_cast<s32>(lower);
  return static_cast<s64>(total) * 4 < static_cast<s64>(upper) * 3 || upper == 0;
}

PEN_INLINE void unbind_load(ServerLoad* load, bool active) {
  add(active ? &load->active : &load->inactive, -1);
  if (load_acquire(&load->overloaded) != 0 && is_relieved(load)) store_release(&load->overloaded, 0U);
}

PEN_INLINE void move_load(ServerLoad* load, bool active) {
  add(active ? &load->active : &load->inactive, 1);
  add(active ? &load->inactive : &load->active, -1);
}

// What the end of any record means to its server. `load_at(slot)` gives a ServerLoad or null.
template <typename LoadAt>
PEN_INLINE void end_load(LoadAt load_at, const Connection& record, u64 word) {
  ServerLoad* load = load_at(load_acquire(&record.server));
  if (!load) return;
  if (record.key.role == Role::persistence) {
    add(&load->persistent, -1);
  } else if (record.key.role == Role::request) {
    unbind_load(load, is_active(record.key, static_cast<u32>(word >> 32 & 0xf)));
  }
}

// Takes new connections: has weight, and is not overloaded.
PEN_INLINE bool is_eligible(const ServerLoad* load) {
  return load_acquire(&load->weight) > 0 && load_acquire(&load->overloaded) == 0;
}

}  // namespace penstock
