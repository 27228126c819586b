// The XDP program of the director. What it does is in core/balance.hpp; this is only where the kernel enters.
#include "datapath/core/balance.hpp"
#include "datapath/bpf/xdp_platform.hpp"

extern "C" {

PEN_SECTION(".rodata.config") const volatile penstock::Config config{};

#define PEN_DEFINE_XDP_STEP(name) PEN_DEFINE_STEP(XdpPlatform, xdp_md, name)
PEN_STEPS(PEN_DEFINE_XDP_STEP)
#undef PEN_DEFINE_XDP_STEP

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
