#include "control/kernel_clock.hpp"

#include <bpf/bpf.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <ctime>

#include "base/result.hpp"
#include "control/permission.hpp"

namespace penstock::control {
namespace {

Result<u64> read_jiffies(int program) {
  std::array<u8, 64> frame{};  // the kernel wants an Ethernet header at least
  LIBBPF_OPTS(bpf_test_run_opts, options, .data_in = frame.data(), .data_out = frame.data(),
              .data_size_in = frame.size(), .data_size_out = frame.size());
  if (bpf_prog_test_run_opts(program, &options) != 0) return fail_privileged("reading the kernel's clock", errno);
  u64 jiffies = 0;
  std::memcpy(&jiffies, frame.data(), sizeof jiffies);
  return jiffies;
}

// The coarse clock advances once a jiffy, so its resolution is the jiffy's length (kernel: LOW_RES_NSEC).
Result<u32> kernel_hz() {
  timespec resolution{};
  if (clock_getres(CLOCK_MONOTONIC_COARSE, &resolution) != 0) return fail_errno("reading the length of a jiffy", errno);
  constexpr s64 second_ns = 1'000'000'000;
  const s64 jiffy_ns = resolution.tv_sec * second_ns + resolution.tv_nsec;
  return static_cast<u32>((second_ns + jiffy_ns / 2) / jiffy_ns);
}

}  // namespace

Result<KernelClock> KernelClock::start(int program) {
  if (const auto jiffies = read_jiffies(program); !jiffies) return fail(jiffies.error());
  const auto hz = kernel_hz();
  if (!hz) return fail(hz.error());
  KernelClock clock(program, *hz);
  (void)clock.ticks();  // a first reading to go by
  return clock;
}

u32 KernelClock::ticks() const {
  const auto jiffies = read_jiffies(program_);
  if (jiffies) {
    last_ticks_ = static_cast<u32>(*jiffies);
    last_steady_ = steady();
    return last_ticks_;
  }
  // start() ran the same call, so only a moment's want of memory fails it: a guess is better than a clock that stands still.
  const auto elapsed_ms = (steady() - last_steady_).count();
  return last_ticks_ + static_cast<u32>(elapsed_ms * ticks_per_second_ / 1000);
}

std::chrono::milliseconds KernelClock::steady() const {
  return std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now().time_since_epoch());
}

}  // namespace penstock::control
