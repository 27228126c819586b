// Writes the next-hop table beside a packet path that reads it without a lock: a row that is marked resolved is whole, for
// every packet from its first look at the row to its last.
#pragma once

#include <span>
#include <vector>

#include "datapath/abi/server.hpp"

namespace penstock::control {

struct RowChange {
  u32 row;
  NextHop content;
};

class NextHopRows {
 public:
  explicit NextHopRows(std::span<NextHop> rows);

  // All at once, because a row that packets may still be reading costs one wait for the kernel, for all rows together.
  // Whether resolved rows have other addresses of the director than before.
  bool apply(std::span<const RowChange> changes);

 private:
  // Takes the row out of use; whether it must not be written before the packets under way are through.
  void withdraw(u32 row);

  std::span<NextHop> rows_;
  std::vector<bool> may_be_read_;  // was resolved since the last wait
};

}  // namespace penstock::control
