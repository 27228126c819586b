// The packet path's clock, read where the packet path reads it: in a BPF program. Nothing else in user space tells jiffies.
#pragma once

#include "base/result.hpp"
#include "control/clock.hpp"

namespace penstock::control {

class KernelClock final : public Clock {
 public:
  // `program` is penstock_clock and outlives the clock. Fails where it cannot be run.
  [[nodiscard]] static Result<KernelClock> start(int program);

  [[nodiscard]] u32 ticks() const override;
  [[nodiscard]] u32 ticks_per_second() const override { return ticks_per_second_; }
  [[nodiscard]] std::chrono::milliseconds steady() const override;

 private:
  KernelClock(int program, u32 ticks_per_second) : program_(program), ticks_per_second_(ticks_per_second) {}

  int program_;
  u32 ticks_per_second_;
  mutable u32 last_ticks_ = 0;
  mutable std::chrono::milliseconds last_steady_{};
};

}  // namespace penstock::control
