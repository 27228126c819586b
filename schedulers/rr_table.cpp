#include "schedulers/rr_table.hpp"

namespace penstock::schedulers {

std::vector<std::uint32_t> rr_table(std::span<const std::int32_t> weights, std::int32_t cursor) {
  std::vector<std::uint32_t> table;
  const std::size_t servers = weights.size();
  const std::size_t first = static_cast<std::size_t>(cursor + 1);
  for (std::size_t step = 0; step < servers; ++step) {
    const std::size_t position = (first + step) % servers;
    if (weights[position] > 0) table.push_back(static_cast<std::uint32_t>(position));
  }
  return table;
}

}  // namespace penstock::schedulers
