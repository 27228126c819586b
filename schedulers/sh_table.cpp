#include "schedulers/sh_table.hpp"

#include "schedulers/source_hash.hpp"

namespace penstock::schedulers {

std::vector<std::uint32_t> sh_table(std::span<const std::int32_t> weights) {
  std::vector<std::uint32_t> table;
  if (weights.empty()) return table;
  std::uint32_t position = 0;
  std::int32_t in_a_row = 0;
  while (table.size() < hash_buckets) {
    table.push_back(position);
    if (++in_a_row < weights[position]) continue;
    position = static_cast<std::uint32_t>((position + 1) % weights.size());
    in_a_row = 0;
  }
  return table;
}

}  // namespace penstock::schedulers
