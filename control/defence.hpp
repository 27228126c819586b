// IPVS's defences against a flood while memory is short (ip_vs_ctl.c: update_defense_level): whether drop_entry, drop_packet and
// secure_tcp are at work. Each is 0 off, 1 and 2 at work while less than `amemthresh` pages are available, 3 always. The kernel
// shows 1 as 2 while it is at work; here a setting stays what the operator said.
#pragma once

#include <limits>

#include "datapath/abi/types.hpp"
#include "model/setting.hpp"

namespace penstock::control {

struct Defence {
  u32 drop_rate = 0;  // every so many-th packet that would begin a connection is dropped; 0: none
  bool secure_tcp = false;
  bool drops_entries = false;

  friend bool operator==(const Defence&, const Defence&) = default;
};

inline constexpr u64 plenty_of_pages = std::numeric_limits<u64>::max();

[[nodiscard]] Defence defence_of(const model::Settings& settings, u64 available_pages);

// Free and buffer pages of the machine, as the kernel counts for its defences.
[[nodiscard]] u64 available_pages();

}  // namespace penstock::control
