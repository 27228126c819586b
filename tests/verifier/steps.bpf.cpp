// Each step of the packet path as a program of its own, for a kernel that was built without BTF of itself: there a global
// function can't be told that its argument is the program's context, so the director's program can't be loaded, but its verifier
// can still judge every step. Elsewhere it shows what each step costs the verifier (verifier_report --steps). A call of a step is
// what it is to the verifier: a number of which nothing is known.
#include "datapath/bpf/xdp_platform.hpp"
#include "datapath/core/balance.hpp"

extern "C" {

PEN_SECTION(".rodata.config") const volatile penstock::Config config{};

#define PEN_DEFINE_CALL(name)                                                                                  \
  __attribute__((always_inline)) int penstock_##name([[maybe_unused]] xdp_md* context, penstock::Work* work) { \
    return *reinterpret_cast<volatile int*>(&work->verdict);                                                   \
  }
PEN_STEPS(PEN_DEFINE_CALL)
#undef PEN_DEFINE_CALL

#define PEN_DEFINE_PROGRAM(name)                                                          \
  PEN_SECTION("xdp") int step_##name(xdp_md* context) {                                   \
    penstock::XdpPlatform platform(context);                                              \
    penstock::Work* work = platform.work();                                               \
    if (!work) return 0;                                                                  \
    return static_cast<int>(static_cast<penstock::u32>(penstock::name(platform, *work))); \
  }
PEN_STEPS(PEN_DEFINE_PROGRAM)
#undef PEN_DEFINE_PROGRAM

PEN_SECTION("xdp") int step_balance(xdp_md* context) {
  penstock::XdpPlatform platform(context);
  return static_cast<int>(penstock::balance(platform));
}

PEN_SECTION("license") char penstock_license[] = "Dual MIT/GPL";
}
