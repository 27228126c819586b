// Which real server has which slot of the tables. A slot outlives its server's removal while connections refer to it,
// and for two minutes more (IPVS: the trash, IP_VS_DEST_TRASH_PERIOD): the same server of the same service, added again
// meanwhile, gets its slot back, and its connections go on.
//
// A slot that changes hands gets a new generation, so that nothing made for its former server matches.
#pragma once

#include <chrono>
#include <compare>
#include <map>
#include <optional>
#include <span>
#include <vector>

#include "base/result.hpp"
#include "datapath/abi/server.hpp"
#include "model/service.hpp"

namespace penstock::control {

// IPVS: a removed server is forgotten when it has been without connections for this long.
inline constexpr std::chrono::milliseconds retired_slot_rest{120'000};

// IPVS finds a removed server again by these.
struct SlotOwner {
  model::ServiceKey service;
  model::Endpoint server;

  friend auto operator<=>(const SlotOwner&, const SlotOwner&) = default;
};

struct Slot {
  u32 index = 0;
  u16 generation = 0;
};

class Slots {
 public:
  // Reads both tables as they are when a slot is chosen; writes neither.
  Slots(std::span<const RealServer> servers, std::span<const ServerLoad> loads) : servers_(servers), loads_(loads) {}

  // The owner's retired slot, or one that nobody has and no connection refers to. Error: none left (ENOMEM).
  Result<Slot> take(const SlotOwner& owner);
  // The server was removed.
  void retire(const SlotOwner& owner);
  // What a former daemon had given; false: there is no such slot, or it is taken.
  bool adopt(const SlotOwner& owner, const Slot& slot, bool retired);

  // Frees the slots that have rested long enough, and tells which.
  std::vector<u32> free_what_is_due(std::chrono::milliseconds now);

  [[nodiscard]] std::map<SlotOwner, Slot> retired() const;
  [[nodiscard]] bool is_free(u32 index) const { return !owners_.contains(index); }

 private:
  struct Holding {
    Slot slot;
    bool retired = false;
    std::optional<std::chrono::milliseconds> idle_since;  // retired, and no connection refers to it
  };
  [[nodiscard]] bool is_idle(u32 index) const;
  Slot hold(const SlotOwner& owner, const Slot& slot, bool retired);

  std::span<const RealServer> servers_;
  std::span<const ServerLoad> loads_;
  std::map<SlotOwner, Holding> holdings_;
  std::map<u32, SlotOwner> owners_;
};

}  // namespace penstock::control
