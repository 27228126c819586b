#include "schedulers/schedule.hpp"

#include <numeric>
#include <utility>

#include "schedulers/dh_table.hpp"
#include "schedulers/mh_table.hpp"
#include "schedulers/ranked_table.hpp"
#include "schedulers/sh_table.hpp"
#include "schedulers/wrr_table.hpp"

namespace penstock::schedulers {
namespace {

std::vector<std::int32_t> weights_of(std::span<const Server> servers) {
  std::vector<std::int32_t> weights;
  for (const Server& server : servers) weights.push_back(server.weight);
  return weights;
}

std::vector<std::uint32_t> list_order(std::size_t servers) {
  std::vector<std::uint32_t> positions(servers);
  std::iota(positions.begin(), positions.end(), 0U);
  return positions;
}

Schedule rr_schedule(std::span<const Server> servers, std::int32_t cursor) {
  Schedule made;
  made.kind = Kind::rr;
  made.start.cursor = cursor;
  made.picks = rr_table(weights_of(servers), cursor);
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

// Of a scheduler that remembers nothing.
std::vector<std::uint32_t> picks_of(Kind kind, std::span<const Server> servers) {
  switch (kind) {
    case Kind::lc:
    case Kind::wlc:
    case Kind::sed:
    case Kind::nq:
    case Kind::twos:
    case Kind::lblc:
    case Kind::lblcr:
      return list_order(servers.size());
    case Kind::fo:
    case Kind::ovf:
      return ranked_table(weights_of(servers));
    case Kind::dh:
      return dh_table(static_cast<std::uint32_t>(servers.size()));
    case Kind::sh:
      return sh_table(weights_of(servers));
    case Kind::mh:
      return mh_table(servers);
    case Kind::rr:
    case Kind::wrr:
    case Kind::none:
      break;
  }
  return {};
}

Schedule rebuilt(Kind kind, std::span<const Server> servers) {
  Schedule made;
  made.kind = kind;
  made.picks = picks_of(kind, servers);
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

bool has_room(Kind kind, std::size_t servers) { return kind != Kind::mh || servers <= mh_entries; }

Schedule begin(Kind kind, std::span<const Server> servers) {
  if (kind == Kind::rr) return rr_schedule(servers, before_first);
  if (kind == Kind::wrr) return wrr_schedule(wrr_begin(weights_of(servers)));
  return rebuilt(kind, servers);
}

Schedule change(const Schedule& before, std::uint64_t taken, Change change, std::span<const Server> servers) {
  if (before.kind == Kind::rr) return rr_schedule(servers, moved(state_after(before, taken).cursor, change));
  if (before.kind == Kind::wrr)
    return wrr_schedule(wrr_change(weights_of(servers), state_after(before, taken).current_weight));
  return rebuilt(before.kind, servers);
}

Schedule again(Kind kind, State start, std::span<const Server> servers) {
  if (kind == Kind::wrr) return wrr_schedule(wrr_again(weights_of(servers), start.current_weight));
  if (kind != Kind::rr) return rebuilt(kind, servers);
  const bool valid = start.cursor >= before_first && start.cursor < static_cast<std::int32_t>(servers.size());
  return rr_schedule(servers, valid ? start.cursor : before_first);
}

}  // namespace penstock::schedulers
