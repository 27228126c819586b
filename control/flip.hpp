// Eight-byte members that change in one store while the packet path reads them: a server's route, a service's schedule.
#pragma once

#include <bit>

#include "datapath/core/atomic.hpp"

namespace penstock::control {

template <typename Member>
concept Flips = sizeof(Member) == sizeof(u64) && alignof(Member) == alignof(u64);

template <Flips Member>
[[nodiscard]] Member read(const Member& from) {
  return std::bit_cast<Member>(load_acquire(reinterpret_cast<const u64*>(&from)));
}

// What was written before is seen by whoever sees this.
template <Flips Member>
void flip(Member& to, const Member& value) {
  store_release(reinterpret_cast<u64*>(&to), std::bit_cast<u64>(value));
}

}  // namespace penstock::control
