// A scheduler that the packet path sees as a table: pick i is table[i % size], and i only counts up. What the scheduler
// remembers follows from how many picks were taken, so a change can continue exactly where IPVS would.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "schedulers/rr_table.hpp"

namespace penstock::schedulers {

enum class Kind { rr, wrr };

// Any name but "wrr" is rr: whoever asks has checked that the scheduler is possible.
[[nodiscard]] constexpr Kind kind_of(std::string_view name) { return name == "wrr" ? Kind::wrr : Kind::rr; }

// What a scheduler remembers between two picks.
struct State {
  std::int32_t cursor = before_first;  // rr
  std::int32_t current_weight = 0;     // wrr

  friend bool operator==(const State&, const State&) = default;
};

struct Schedule {
  Kind kind = Kind::rr;
  State start;                                // before the first pick
  std::vector<std::uint32_t> picks;           // positions in the list of servers, newest first
  std::vector<std::int32_t> current_weights;  // wrr: at each pick
  bool scaled = false;                        // see WrrTable
};

struct Change {
  enum class What { added, edited, removed } what;
  std::uint32_t position;  // of the server, in the list that has it
};

// Weights are those of the servers, newest first, none negative.
[[nodiscard]] Schedule begin(Kind kind, std::span<const std::int32_t> weights);
// After `change`, of which `weights` are the outcome, when `taken` picks had been taken from `before`.
[[nodiscard]] Schedule change(const Schedule& before, std::uint64_t taken, Change change,
                              std::span<const std::int32_t> weights);
// A schedule of the same servers, from the state it began with.
[[nodiscard]] Schedule again(Kind kind, State start, std::span<const std::int32_t> weights);

}  // namespace penstock::schedulers
