// Ends connections whose time is over, and frees claims that a dead CPU or daemon left, by walking both tables of connections
// again and again: all of them once in `sweep_period`. A look-up treats an expired record as absent, so the sweeper only
// returns slots and loads; what it owes is that a short timeout is honoured in the counts within a second.
//
// Many small calls cost the same as few: call it often, so that no call holds up the daemon.
#pragma once

#include <chrono>

#include "control/clock.hpp"
#include "datapath/native/tables.hpp"

namespace penstock::control {

// The whole walk; with the time between two calls a connection is counted out within a second of its end.
inline constexpr std::chrono::milliseconds sweep_period{900};

struct Swept {
  u64 ended = 0;         // connections that were over
  u64 claims_freed = 0;  // slots that somebody claimed and never published
};

class Sweeper {
 public:
  // Both outlive the sweeper.
  Sweeper(const Tables& tables, const Clock& clock) : tables_(tables), clock_(clock), last_(clock.steady()) {}

  // The share of the walk that is due since the last call, never more than one whole walk.
  Swept advance();
  // The next `buckets` buckets.
  Swept sweep(u64 buckets);

 private:
  void sweep_bucket(u64 position, u32 now, Swept& swept) const;
  [[nodiscard]] u64 buckets() const { return tables_.connections.size() + tables_.half_open.size(); }

  const Tables& tables_;
  const Clock& clock_;
  std::chrono::milliseconds last_;
  u64 position_ = 0;
};

}  // namespace penstock::control
