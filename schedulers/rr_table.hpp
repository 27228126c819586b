// IPVS: rr. The servers that take new connections, in list order, beginning behind the one that was picked last. That one is
// remembered across every change, also while its weight is 0; deleting it moves the memory to its predecessor.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace penstock::schedulers {

// Position of the server that was picked last, counted from the newest.
inline constexpr std::int32_t before_first = -1;

// Positions to pick, over and over. Empty: no server takes new connections.
[[nodiscard]] std::vector<std::uint32_t> rr_table(std::span<const std::int32_t> weights, std::int32_t cursor);

// What becomes of the cursor when a server is added (always at the head), or the one at `position` is removed.
[[nodiscard]] constexpr std::int32_t rr_added(std::int32_t cursor) {
  return cursor == before_first ? cursor : cursor + 1;
}
[[nodiscard]] constexpr std::int32_t rr_removed(std::int32_t cursor, std::int32_t position) {
  return cursor >= position ? cursor - 1 : cursor;
}

}  // namespace penstock::schedulers
