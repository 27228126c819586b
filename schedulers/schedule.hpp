// A scheduler as the table that the packet path reads, and what it remembers between two picks. The packet path never writes the
// table; where it counts picks (rr, wrr), the count says where IPVS would stand, so a change can continue there.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "schedulers/kind.hpp"
#include "schedulers/rr_table.hpp"
#include "schedulers/server.hpp"

namespace penstock::schedulers {

// What a scheduler remembers between two picks. All but rr and wrr begin anew with each change.
struct State {
  std::int32_t cursor = before_first;  // rr
  std::int32_t current_weight = 0;     // wrr

  friend bool operator==(const State&, const State&) = default;
};

struct Schedule {
  Kind kind = Kind::rr;
  State start;  // before the first pick
  // Positions in the list of servers, newest first. Empty: no server takes new connections.
  //   rr, wrr                             pick i is picks[i % size]
  //   fo, ovf                             the first that takes connections (ovf: and has no more of them than its weight)
  //   lc, wlc, sed, nq, twos, lblc, lblcr every server, also those of weight 0
  //   dh, sh, mh                          by dh_bucket(), sh_bucket(), mh_entry(): also servers that take no connections now
  std::vector<std::uint32_t> picks;
  std::vector<std::int32_t> current_weights;  // wrr: at each pick
  bool scaled = false;                        // see WrrTable
};

struct Change {
  enum class What { added, edited, removed } what;
  std::uint32_t position;  // of the server, in the list that has it
};

// IPVS: EINVAL when a service of more servers than mh has entries is given mh. (The kernel lets such a service grow later, and
// leaves the table as it was: a server that gets nothing. We ask before each addition.)
[[nodiscard]] bool has_room(Kind kind, std::size_t servers);

[[nodiscard]] Schedule begin(Kind kind, std::span<const Server> servers);
// After `change`, of which `servers` are the outcome, when `taken` picks had been taken from `before`.
[[nodiscard]] Schedule change(const Schedule& before, std::uint64_t taken, Change change,
                              std::span<const Server> servers);
// A schedule of the same servers, from the state it began with.
[[nodiscard]] Schedule again(Kind kind, State start, std::span<const Server> servers);

}  // namespace penstock::schedulers
