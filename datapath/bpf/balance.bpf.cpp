// The XDP program of the director. What it does is in core/balance.hpp; this is only where the kernel enters.
#include "datapath/core/balance.hpp"
#include "datapath/bpf/xdp_platform.hpp"

extern "C" {

PEN_SECTION(".rodata.config") const volatile penstock::Config config{};

// Looks at some candidates; 1 ends the loop.
static long penstock_examine(unsigned long long turn, void* context) {
  auto* scan = static_cast<penstock::ServerScan*>(context);
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

extern "C" {

// Weak, so that the compiler leaves the calls as they are: it would drop an argument that a step doesn't use.
#define PEN_DEFINE_STEP(name)                                                                 \
  __attribute__((noinline, weak)) int penstock_##name(xdp_md* context, penstock::Work* work) {      \
    if (!work) return 0;                                                                      \
    penstock::XdpPlatform platform(context);                                                  \
    return static_cast<int>(static_cast<penstock::u32>(penstock::name(platform, *work)));     \
  }
PEN_STEPS(PEN_DEFINE_STEP)
#undef PEN_DEFINE_STEP

PEN_SECTION("xdp") int penstock_xdp(xdp_md* context) {
  penstock::XdpPlatform platform(context);
  return static_cast<int>(penstock::balance(platform));
}

// Writes the clock of the packet path, a 64-bit count of jiffies, to the first eight bytes of the frame (kernel_clock runs it
// by BPF_PROG_TEST_RUN; it is never attached).
PEN_SECTION("xdp") int penstock_clock(xdp_md* context) {
  auto* begin = reinterpret_cast<penstock::u8*>(static_cast<penstock::u64>(context->data));
  auto* end = reinterpret_cast<penstock::u8*>(static_cast<penstock::u64>(context->data_end));
  if (begin + sizeof(penstock::u64) > end) return static_cast<int>(penstock::Verdict::aborted);
  const penstock::u64 now = penstock::helpers::jiffies();
  __builtin_memcpy(begin, &now, sizeof now);
  return static_cast<int>(penstock::Verdict::pass);
}

PEN_SECTION("license") char penstock_license[] = "Dual MIT/GPL";
}
