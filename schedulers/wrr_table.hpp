// IPVS: wrr, the interleaved one: round after round over the list, taking every server whose weight reaches the current
// weight, which sinks by the greatest common divisor g of the weights and starts again from the top, M = max - (g - 1).
//
// A change restarts the walk at the head of the list and keeps the current weight, rounded to the new g: that is why a new
// service with weights 3, 1 begins 2 1 1 1. One full cycle brings the walk back to where it began, so it is a table.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace penstock::schedulers {

// The longest cycle that becomes a table. Weights whose cycle (sum / gcd) is longer are scaled down, none below 1.
inline constexpr std::uint32_t wrr_entries_max = 65536;

struct WrrTable {
  std::vector<std::uint32_t> picks;  // positions in the list, over and over; empty: no server takes connections
  std::vector<std::int32_t> current_weights;  // the current weight at each of these picks
  std::int32_t start = 0;                     // the current weight before the first pick
  bool scaled = false;                        // proportions are only approximately those of the weights
};

// For a service that gets this scheduler with these servers (a new service: none).
[[nodiscard]] WrrTable wrr_begin(std::span<const std::int32_t> weights);
// For a service whose servers or weights changed when the current weight was `current_weight`.
[[nodiscard]] WrrTable wrr_change(std::span<const std::int32_t> weights, std::int32_t current_weight);
// The same table again: `start` is a WrrTable's of the same weights.
[[nodiscard]] WrrTable wrr_again(std::span<const std::int32_t> weights, std::int32_t start);

}  // namespace penstock::schedulers
