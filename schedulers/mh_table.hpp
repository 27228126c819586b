// IPVS: mh. Maglev's table (Eisenbud et al., NSDI 2016, §3.4): the servers take turns in list order, each filling the next free
// entry of its own permutation, a heavier one several in a row. Weights are the last non-zero ones: a server that is set to 0
// keeps its entries, so that nobody else's clients move.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "schedulers/server.hpp"

namespace penstock::schedulers {

// As the kernel is built by default (IP_VS_MH_TAB_INDEX 12). Prime, so that every step visits all entries.
inline constexpr std::uint32_t mh_entries = 4093;

// A position for each of the `mh_entries`. Empty: no server has or had a weight. Of more servers than there are entries, only the
// first get any.
[[nodiscard]] std::vector<std::uint32_t> mh_table(std::span<const Server> servers);

}  // namespace penstock::schedulers
