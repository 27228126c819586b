// IPVS: fo and ovf. Who takes a new connection if the ones before it can't: the servers by weight.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace penstock::schedulers {

// Positions of the servers that have a weight, the heaviest first; of equals the one that the list has first.
[[nodiscard]] std::vector<std::uint32_t> ranked_table(std::span<const std::int32_t> weights);

}  // namespace penstock::schedulers
