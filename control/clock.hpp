// Time, from outside: the daemon reads the kernel's, the replayer and the tests set their own.
#pragma once

#include <chrono>

#include "datapath/abi/types.hpp"

namespace penstock::control {

class Clock {
 public:
  virtual ~Clock() = default;

  // The tables' time: the low 32 bits of the kernel's jiffies, as the expiry in a connection's word. Wraps.
  [[nodiscard]] virtual u32 ticks() const = 0;
  // How many of them make a second (HZ).
  [[nodiscard]] virtual u32 ticks_per_second() const = 0;
  // Never goes back; only differences have a meaning.
  [[nodiscard]] virtual std::chrono::milliseconds steady() const = 0;
};

}  // namespace penstock::control
