// Waits for a fact, not for a time.
#pragma once

#include <chrono>
#include <thread>

namespace penstock::lab {

inline constexpr std::chrono::milliseconds poll_interval{2};

// Whether `holds` came true by the deadline; it is asked at least once.
template <typename Predicate>
[[nodiscard]] bool wait_until(std::chrono::steady_clock::time_point deadline, Predicate holds) {
  while (!holds()) {
    if (std::chrono::steady_clock::now() >= deadline) return false;
    std::this_thread::sleep_for(poll_interval);
  }
  return true;
}

}  // namespace penstock::lab
