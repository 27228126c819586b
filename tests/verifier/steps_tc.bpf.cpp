// As steps.bpf.cpp, over socket buffers.
#include "datapath/bpf/tc_platform.hpp"
#include "datapath/core/balance.hpp"

extern "C" {

PEN_SECTION(".rodata.config") const volatile penstock::Config config{};

#define PEN_DEFINE_CALL(name)                                                                                     \
  __attribute__((always_inline)) int penstock_##name([[maybe_unused]] __sk_buff* context, penstock::Work* work) { \
    return *reinterpret_cast<volatile int*>(&work->verdict);                                                      \
  }
PEN_STEPS(PEN_DEFINE_CALL)
#undef PEN_DEFINE_CALL

#define PEN_DEFINE_PROGRAM(name)                                                          \
  PEN_SECTION("tc") int step_##name(__sk_buff* context) {                                 \
    penstock::TcPlatform platform(context);                                               \
    penstock::Work* work = platform.work();                                               \
    if (!work) return 0;                                                                  \
    return static_cast<int>(static_cast<penstock::u32>(penstock::name(platform, *work))); \
  }
PEN_STEPS(PEN_DEFINE_PROGRAM)
#undef PEN_DEFINE_PROGRAM

PEN_SECTION("tc") int step_balance(__sk_buff* context) {
  penstock::TcPlatform platform(context);
  return static_cast<int>(penstock::balance(platform));
}

PEN_SECTION("license") char penstock_license[] = "Dual MIT/GPL";
}
