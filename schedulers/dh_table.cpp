#include "schedulers/dh_table.hpp"

#include "schedulers/source_hash.hpp"

namespace penstock::schedulers {

std::vector<std::uint32_t> dh_table(std::uint32_t servers) {
  std::vector<std::uint32_t> table;
  if (servers == 0) return table;
  for (std::uint32_t bucket = 0; bucket < hash_buckets; ++bucket) table.push_back(bucket % servers);
  return table;
}

}  // namespace penstock::schedulers
