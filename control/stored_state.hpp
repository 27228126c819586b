// What a daemon must know of its predecessor to go on where that one was: the desired state, and which slot of the tables,
// which generation and which counters' base belongs to whom. A value; the store keeps it.
#pragma once

#include <vector>

#include "api/types.hpp"
#include "control/settings.hpp"
#include "control/slots.hpp"
#include "model/desired_state.hpp"
#include "schedulers/schedule.hpp"

namespace penstock::control {

struct StoredServer {
  model::RealServer server;
  Slot slot;
  api::Statistics base;
  std::int32_t last_weight = 0;  // the last one that was not 0
};

struct StoredService {
  model::Service service;
  u32 id = 0;
  schedulers::State schedule;  // what its schedule began with
  api::Statistics carried;
  std::vector<StoredServer> servers;  // newest first
};

// A removed server whose slot is not free yet.
struct StoredRetired {
  SlotOwner owner;
  Slot slot;
  u32 service = 0;  // id
  api::Statistics base;
};

struct StoredState {
  u64 tables = 0;  // fingerprint.hpp: slots, bases and schedules are only true of the tables they were written for
  u32 next_service_id = 1;
  u32 slots_end = 0;
  api::Statistics total_base;
  api::Timeouts timeouts = initial_timeouts();
  model::Settings settings;
  std::vector<model::MarkRule> mark_rules;
  std::vector<model::Address> local_addresses;
  std::vector<StoredService> services;  // oldest first
  std::vector<StoredRetired> retired;
};

// Puts settings, mark rules and local addresses into an empty state: before the services, since fullnat servers need the latter.
[[nodiscard]] Result<void> restore_all_but_services(model::DesiredState& desired, const StoredState& known);

}  // namespace penstock::control
