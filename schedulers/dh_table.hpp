// IPVS: dh. The buckets of dh_bucket() are dealt to the servers in turn, in list order, whatever they weigh: weight 0 keeps its
// buckets, and their destinations get no server.
#pragma once

#include <cstdint>
#include <vector>

namespace penstock::schedulers {

// A position for each of the `hash_buckets`. Empty: no servers.
[[nodiscard]] std::vector<std::uint32_t> dh_table(std::uint32_t servers);

}  // namespace penstock::schedulers
