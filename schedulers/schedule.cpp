#include "schedulers/schedule.hpp"

#include <utility>

#include "schedulers/wrr_table.hpp"

namespace penstock::schedulers {
namespace {

Schedule rr_schedule(std::span<const std::int32_t> weights, std::int32_t cursor) {
  Schedule made;
  made.kind = Kind::rr;
  made.start.cursor = cursor;
  made.picks = rr_table(weights, cursor);
  return made;
}

Schedule wrr_schedule(WrrTable table) {
  Schedule made;
  made.kind = Kind::wrr;
  made.start.current_weight = table.start;
  made.picks = std::move(table.picks);
  made.current_weights = std::move(table.current_weights);
  made.scaled = table.scaled;
  return made;
}

State state_after(const Schedule& schedule, std::uint64_t taken) {
  if (taken == 0 || schedule.picks.empty()) return schedule.start;
  const std::size_t last = (taken - 1) % schedule.picks.size();
  State state;
  state.cursor = static_cast<std::int32_t>(schedule.picks[last]);
  if (schedule.kind == Kind::wrr) state.current_weight = schedule.current_weights[last];
  return state;
}

std::int32_t moved(std::int32_t cursor, Change change) {
  switch (change.what) {
    case Change::What::added:
      return rr_added(cursor);
    case Change::What::removed:
      return rr_removed(cursor, static_cast<std::int32_t>(change.position));
    case Change::What::edited:
      return cursor;
  }
  return cursor;
}

}  // namespace

Schedule begin(Kind kind, std::span<const std::int32_t> weights) {
  return kind == Kind::rr ? rr_schedule(weights, before_first) : wrr_schedule(wrr_begin(weights));
}

Schedule change(const Schedule& before, std::uint64_t taken, Change change, std::span<const std::int32_t> weights) {
  const State state = state_after(before, taken);
  if (before.kind == Kind::rr) return rr_schedule(weights, moved(state.cursor, change));
  return wrr_schedule(wrr_change(weights, state.current_weight));
}

Schedule again(Kind kind, State start, std::span<const std::int32_t> weights) {
  if (kind == Kind::wrr) return wrr_schedule(wrr_again(weights, start.current_weight));
  const auto servers = static_cast<std::int32_t>(weights.size());
  const bool valid = start.cursor >= before_first && start.cursor < servers;
  return rr_schedule(weights, valid ? start.cursor : before_first);
}

}  // namespace penstock::schedulers
