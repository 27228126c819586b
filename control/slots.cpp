#include "control/slots.hpp"

#include <cerrno>
#include <string>

#include "control/flip.hpp"

namespace penstock::control {

bool Slots::is_idle(u32 index) const {
  return load_acquire(&loads_[index].active) == 0 && load_acquire(&loads_[index].inactive) == 0 &&
         load_acquire(&loads_[index].persistent) == 0;
}

Slot Slots::hold(const SlotOwner& owner, const Slot& slot, bool retired) {
  holdings_[owner] = Holding{slot, retired, std::nullopt};
  owners_[slot.index] = owner;
  return slot;
}

Result<Slot> Slots::take(const SlotOwner& owner) {
  if (const auto held = holdings_.find(owner); held != holdings_.end()) return hold(owner, held->second.slot, false);
  auto taken = owners_.begin();
  for (u32 index = server_of_none + 1; index < servers_.size(); ++index) {
    while (taken != owners_.end() && taken->first < index) ++taken;
    if (taken != owners_.end() && taken->first == index) continue;
    if (!is_idle(index)) continue;
    const u16 generation = static_cast<u16>(read(servers_[index].route).generation + 1);
    return hold(owner, Slot{index, generation}, false);
  }
  return fail(
      ErrorCode::exhausted,
      "all " + std::to_string(servers_.size() - 1) + " places for real servers are taken (penstockd --servers-max)",
      ENOMEM);
}

void Slots::retire(const SlotOwner& owner) {
  if (const auto held = holdings_.find(owner); held != holdings_.end()) held->second.retired = true;
}

bool Slots::adopt(const SlotOwner& owner, const Slot& slot, bool retired) {
  const bool is_a_servers = slot.index != server_of_none && slot.index < servers_.size();
  if (!is_a_servers || !is_free(slot.index) || holdings_.contains(owner)) return false;
  hold(owner, slot, retired);
  return true;
}

std::vector<u32> Slots::free_what_is_due(std::chrono::milliseconds now) {
  std::vector<u32> freed;
  for (auto at = holdings_.begin(); at != holdings_.end();) {
    Holding& holding = at->second;
    const u32 index = holding.slot.index;
    if (!holding.retired || !is_idle(index)) {
      holding.idle_since.reset();
      ++at;
      continue;
    }
    if (!holding.idle_since) holding.idle_since = now;
    if (now - *holding.idle_since < retired_slot_rest) {
      ++at;
      continue;
    }
    freed.push_back(index);
    owners_.erase(index);
    at = holdings_.erase(at);
  }
  return freed;
}

std::map<SlotOwner, Slot> Slots::retired() const {
  std::map<SlotOwner, Slot> all;
  for (const auto& [owner, holding] : holdings_)
    if (holding.retired) all[owner] = holding.slot;
  return all;
}

}  // namespace penstock::control
