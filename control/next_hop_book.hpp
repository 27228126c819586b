// Which row of the next-hop table belongs to which address, and how many ask for it.
#pragma once

#include <deque>
#include <map>
#include <vector>

#include "base/result.hpp"
#include "datapath/abi/types.hpp"
#include "model/address.hpp"

namespace penstock::control {

class NextHopBook {
 public:
  // Rows 1 to rows - 1 are handed out; row 0 means "none".
  explicit NextHopBook(u32 rows);

  // What a former daemon had programmed: the row stays this address's until forget_unclaimed(), so that packets which are
  // forwarded meanwhile don't go to another server.
  void reserve(const model::Address& address, u32 row);
  // Rows that were reserved and not acquired, now free again.
  std::vector<u32> forget_unclaimed();

  struct Acquired {
    u32 row;
    bool is_first;  // nobody else asked for this address
  };
  // Error: exhausted.
  [[nodiscard]] Result<Acquired> acquire(const model::Address& address);
  // The row, if nobody asks for it any more; it is free then. 0: others still do.
  [[nodiscard]] u32 release(const model::Address& address);

 private:
  struct Holding {
    u32 row = 0;
    u32 users = 0;
  };

  std::map<model::Address, Holding> holdings_;
  std::deque<u32> free_;  // longest free first: a row is not soon another server's
};

}  // namespace penstock::control
