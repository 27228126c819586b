#include "schedulers/wrr_table.hpp"

#include <algorithm>
#include <numeric>

namespace penstock::schedulers {
namespace {

// Weights as the walk uses them, with IPVS's `di` and `mw`.
struct Walk {
  std::vector<std::int32_t> weights;
  std::int32_t divisor = 1;
  std::int32_t top = 0;
  std::uint64_t cycle = 0;
  bool scaled = false;
};

Walk walk_of(std::vector<std::int32_t> weights) {
  Walk walk{.weights = std::move(weights), .divisor = 1, .top = 0, .cycle = 0, .scaled = false};
  std::int32_t divisor = 0;
  std::int32_t largest = 0;
  std::uint64_t sum = 0;
  for (const std::int32_t weight : walk.weights) {
    divisor = std::gcd(divisor, weight);
    largest = std::max(largest, weight);
    sum += static_cast<std::uint64_t>(weight);
  }
  walk.divisor = std::max(divisor, 1);
  walk.top = largest - (walk.divisor - 1);
  walk.cycle = sum / static_cast<std::uint64_t>(walk.divisor);
  return walk;
}

// Proportional shares of what remains after one entry for each server, so that the sum keeps within the bound.
std::vector<std::int32_t> scale_down(std::span<const std::int32_t> weights) {
  const std::uint64_t sum = std::accumulate(weights.begin(), weights.end(), std::uint64_t{0});
  const auto servers =
      static_cast<std::uint64_t>(std::count_if(weights.begin(), weights.end(), [](auto w) { return w > 0; }));
  const std::uint64_t room = wrr_entries_max - std::min<std::uint64_t>(servers, wrr_entries_max);
  std::vector<std::int32_t> scaled;
  for (const std::int32_t weight : weights) {
    const auto share = static_cast<std::uint64_t>(weight) * room / sum;
    scaled.push_back(weight == 0 ? 0 : static_cast<std::int32_t>(std::max<std::uint64_t>(share, 1)));
  }
  return scaled;
}

Walk bounded_walk(std::span<const std::int32_t> weights) {
  Walk walk = walk_of({weights.begin(), weights.end()});
  if (walk.cycle <= wrr_entries_max) return walk;
  walk = walk_of(scale_down(weights));
  walk.scaled = true;
  return walk;
}

// Whether the current weight ever has this value: only then does the walk come back to it.
bool is_on(const Walk& walk, std::int32_t current) {
  return current > 0 && current <= walk.top && (current - 1) % walk.divisor == 0;
}

WrrTable table_of(const Walk& walk, std::int32_t wanted_start) {
  const std::int32_t start = is_on(walk, wanted_start) ? wanted_start : walk.top;
  WrrTable table;
  table.start = start;
  table.scaled = walk.scaled;
  if (walk.top == 0) return table;
  std::int32_t current = start;
  do {
    for (std::size_t i = 0; i < walk.weights.size(); ++i) {
      if (walk.weights[i] < current) continue;
      table.picks.push_back(static_cast<std::uint32_t>(i));
      table.current_weights.push_back(current);
    }
    current -= walk.divisor;
    if (current <= 0) current = walk.top;
  } while (current != start);
  return table;
}

}  // namespace

WrrTable wrr_begin(std::span<const std::int32_t> weights) {
  const Walk walk = bounded_walk(weights);
  return table_of(walk, walk.top);
}

WrrTable wrr_change(std::span<const std::int32_t> weights, std::int32_t current_weight) {
  const Walk walk = bounded_walk(weights);
  if (current_weight <= 0 || current_weight > walk.top) return table_of(walk, walk.top);
  if (walk.divisor == 1) return table_of(walk, current_weight);
  return table_of(walk, current_weight / walk.divisor * walk.divisor + 1);
}

WrrTable wrr_again(std::span<const std::int32_t> weights, std::int32_t start) {
  return table_of(bounded_walk(weights), start);
}

}  // namespace penstock::schedulers
