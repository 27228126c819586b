#include "schedulers/ranked_table.hpp"

#include <algorithm>

namespace penstock::schedulers {

std::vector<std::uint32_t> ranked_table(std::span<const std::int32_t> weights) {
  std::vector<std::uint32_t> table;
  for (std::uint32_t position = 0; position < weights.size(); ++position)
    if (weights[position] > 0) table.push_back(position);
  std::ranges::sort(table, [weights](std::uint32_t one, std::uint32_t other) {
    return weights[one] != weights[other] ? weights[one] > weights[other] : one < other;
  });
  return table;
}

}  // namespace penstock::schedulers
