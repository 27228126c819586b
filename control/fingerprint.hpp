// Tells whether the tables are still those that something was stored for, without telling their secret: SipHash-2-4
// (Aumasson, Bernstein: a pseudo-random function) of the boot secret under its own first two words.
#pragma once

#include <span>

#include "datapath/abi/types.hpp"

namespace penstock::control {

[[nodiscard]] u64 siphash(const u64 (&key)[2], std::span<const u64> message);

// `secret`: at least two words. The same secret has the same fingerprint.
[[nodiscard]] u64 fingerprint_of(std::span<const u64> secret);

}  // namespace penstock::control
