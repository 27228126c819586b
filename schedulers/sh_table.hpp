// IPVS: sh. The buckets of sh_bucket() are dealt to the servers in list order, round after round, to each as many in a row as it
// weighs. Weight 0 still gets one, whose clients get no server (but see sh-fallback); weights beyond the number of buckets starve
// whom the list has later.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace penstock::schedulers {

// A position for each of the `hash_buckets`. Empty: no servers.
[[nodiscard]] std::vector<std::uint32_t> sh_table(std::span<const std::int32_t> weights);

}  // namespace penstock::schedulers
