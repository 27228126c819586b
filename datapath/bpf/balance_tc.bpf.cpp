// The director as a TC program, for interfaces where XDP would not do (ADR-0012): the same packet path over socket buffers.
#include "datapath/bpf/tc_platform.hpp"
#include "datapath/core/own_reply.hpp"

extern "C" {

PEN_SECTION(".rodata.config") const volatile penstock::Config config{};

#define PEN_DEFINE_TC_STEP(name) PEN_DEFINE_STEP(TcPlatform, __sk_buff, name)
PEN_STEPS(PEN_DEFINE_TC_STEP)
#undef PEN_DEFINE_TC_STEP

// What is passed goes on to the filters behind this one.
PEN_SECTION("tc") int penstock_tc(__sk_buff* context) {
  penstock::TcPlatform platform(context);
  platform.begin();
  switch (penstock::balance(platform)) {
    case penstock::Verdict::pass:
      return TC_ACT_UNSPEC;
    case penstock::Verdict::transmit:
      return platform.leave_back() == penstock::Next::redirect ? TC_ACT_REDIRECT : TC_ACT_SHOT;
    case penstock::Verdict::redirect:
      return TC_ACT_REDIRECT;
    case penstock::Verdict::drop:
    case penstock::Verdict::aborted:
      break;
  }
  return TC_ACT_SHOT;
}

// On the way out. What came in by an interface is not the kernel's own.
PEN_SECTION("tc") int penstock_tc_out(__sk_buff* context) {
  if (context->ingress_ifindex != 0) return TC_ACT_UNSPEC;
  penstock::TcPlatform platform(context);
  platform.begin();
  penstock::watch_own(platform);
  return TC_ACT_UNSPEC;
}

PEN_SECTION("license") char penstock_license[] = "Dual MIT/GPL";
}
