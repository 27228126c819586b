// Payload that both ends know without sending it first: pseudo-random bytes, each a function of seed and place. So a byte that is
// lost, doubled, moved or changed is noticed at its place, whatever its neighbours are.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace penstock::serving {

// The bytes from `offset` on.
void fill(std::span<std::byte> bytes, std::uint64_t seed, std::uint64_t offset);

// How many bytes from the first on are those of `offset` and after: bytes.size() if all.
[[nodiscard]] std::size_t count_right(std::span<const std::byte> bytes, std::uint64_t seed, std::uint64_t offset);

}  // namespace penstock::serving
