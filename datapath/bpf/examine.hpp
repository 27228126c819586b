// A scan over a schedule (core/schedule.hpp) by bpf_loop, which the kernel verifies once for any number of candidates. The
// callback itself is each platform's, made by PEN_EXAMINE_BY_LOOP: the kernel refuses a template's name.
#pragma once

#include "datapath/bpf/helpers.hpp"
#include "datapath/core/schedule.hpp"

namespace penstock {

// As bpf_loop's callback sees it: some candidates a call.
struct ServerScan {
  Work* work;
};
static constexpr u32 candidates_per_call = 16;

// Looks at some candidates; 1 ends the loop.
template <typename Machine>
PEN_INLINE long examine_some(u64 turn, void* context) {
  const auto* scan = static_cast<ServerScan*>(context);
  Machine tables(nullptr);  // nothing but them
  const u32 first = static_cast<u32>(turn) * candidates_per_call;
  PEN_ROLLED
  for (u32 i = 0; i < candidates_per_call; ++i) {
    if (first + i >= scan->work->choice.count) return 1;
    if (examine(tables, scan->work->packet, scan->work->choice, first + i)) return 1;
  }
  return 0;
}

PEN_INLINE void examine_by_loop(Work& work, long (*each)(u64 turn, void* scan)) {
  ServerScan scan{&work};
  const u32 turns = (work.choice.count + candidates_per_call - 1) / candidates_per_call;
  helpers::loop(turns, each, &scan);
}

}  // namespace penstock

// Behind the platform's definition, once a program.
#define PEN_EXAMINE_BY_LOOP(Machine)                                                  \
  extern "C" {                                                                        \
  static long penstock_examine(unsigned long long turn, void* scan) {                 \
    return penstock::examine_some<penstock::Machine>(turn, scan);                     \
  }                                                                                   \
  }                                                                                   \
  PEN_INLINE void penstock::Machine::examine_all(Work& work) {                        \
    examine_by_loop(work, reinterpret_cast<long (*)(u64, void*)>(&penstock_examine)); \
  }
