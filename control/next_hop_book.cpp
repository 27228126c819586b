#include "control/next_hop_book.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cassert>
#include <cerrno>

namespace penstock::control {

NextHopBook::NextHopBook(u32 rows) {
  for (u32 row = 1; row < rows; ++row) free_.push_back(row);
}

void NextHopBook::reserve(const model::Address& address, u32 row) {
  const auto position = std::ranges::find(free_, row);
  if (position == free_.end() || holdings_.contains(address)) return;
  free_.erase(position);
  holdings_[address] = {.row = row};
}

std::vector<u32> NextHopBook::forget_unclaimed() {
  std::vector<u32> rows;
  for (auto holding = holdings_.begin(); holding != holdings_.end();) {
    if (holding->second.users > 0) {
      ++holding;
      continue;
    }
    rows.push_back(holding->second.row);
    free_.push_back(holding->second.row);
    holding = holdings_.erase(holding);
  }
  return rows;
}

Result<NextHopBook::Acquired> NextHopBook::acquire(const model::Address& address) {
  const auto found = holdings_.find(address);
  if (found != holdings_.end()) return Acquired{found->second.row, found->second.users++ == 0};
  if (free_.empty())
    return fail(
        ErrorCode::exhausted,
        fmt::format("no row for next hop {}: the table is full ({} rows)", to_string(address), holdings_.size()),
        ENOSPC);
  const u32 row = free_.front();
  free_.pop_front();
  holdings_[address] = {.row = row, .users = 1};
  return Acquired{row, true};
}

u32 NextHopBook::release(const model::Address& address) {
  const auto found = holdings_.find(address);
  assert(found != holdings_.end() && found->second.users > 0);
  if (--found->second.users > 0) return 0;
  const u32 row = found->second.row;
  free_.push_back(row);
  holdings_.erase(found);
  return row;
}

}  // namespace penstock::control
