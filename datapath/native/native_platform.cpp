#include "datapath/native/native_platform.hpp"

#include "datapath/core/own_reply.hpp"

namespace penstock {

void NativePlatform::examine_all(Work& work) {
  for (u32 i = 0; i < work.choice.count && !examine(*this, work.packet, work.choice, i); ++i) {
  }
}

#define PEN_NATIVE_STEP(name) \
  u32 NativePlatform::run_##name(Work& work) { return static_cast<u32>(penstock::name(*this, work)); }
PEN_STEPS(PEN_NATIVE_STEP)
#undef PEN_NATIVE_STEP

Verdict balance(NativePlatform& platform) { return balance<NativePlatform>(platform); }

PacketResult process(const Tables& tables, std::span<const u8> frame, u32 now, u32 ingress) {
  FrameBuffer buffer(frame);
  NativePlatform platform(tables, buffer, now, ingress);
  const Verdict verdict = balance(platform);
  const auto left = buffer.frame();
  return {.verdict = verdict,
          .interface = verdict == Verdict::redirect ? platform.egress() : ingress,
          .frame = {left.begin(), left.end()}};
}

std::vector<u8> process_own(const Tables& tables, std::span<const u8> frame, u32 now) {
  FrameBuffer buffer(frame);
  NativePlatform platform(tables, buffer, now, 0);
  watch_own(platform);
  const auto left = buffer.frame();
  return {left.begin(), left.end()};
}

}  // namespace penstock
