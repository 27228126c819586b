// A scan over a schedule (core/schedule.hpp) by bpf_loop, which the kernel verifies once for any number of candidates.
#pragma once

#include "datapath/bpf/xdp_platform.hpp"
#include "datapath/core/schedule.hpp"

extern "C" {

// Looks at some candidates; 1 ends the loop.
static long penstock_examine(unsigned long long turn, void* context) {
  const auto* scan = static_cast<penstock::ServerScan*>(context);
  penstock::XdpPlatform platform(nullptr);  // the tables only
  const penstock::u32 first = static_cast<penstock::u32>(turn) * penstock::candidates_per_call;
  PEN_ROLLED
  for (penstock::u32 i = 0; i < penstock::candidates_per_call; ++i) {
    if (first + i >= scan->work->choice.count) return 1;
    if (penstock::examine(platform, scan->work->packet, scan->work->choice, first + i)) return 1;
  }
  return 0;
}
}

namespace penstock {

PEN_INLINE void XdpPlatform::examine_all(Work& work) {
  ServerScan scan{&work};
  const u32 turns = (work.choice.count + candidates_per_call - 1) / candidates_per_call;
  helpers::loop(turns, reinterpret_cast<long (*)(u64, void*)>(&penstock_examine), &scan);
}

}  // namespace penstock
