// All that the writer knows, as a value: a command works on a copy, which either takes the place of the former or is dropped.
#pragma once

#include <vector>

#include "api/types.hpp"
#include "control/reconciler.hpp"
#include "control/schedule_pool.hpp"
#include "control/slots.hpp"
#include "control/statistics.hpp"
#include "control/stored_state.hpp"
#include "model/desired_state.hpp"

namespace penstock::control {

struct WriterState {
  model::DesiredState desired;
  Programs programs;  // one for each desired service, its servers in the same order
  Slots slots;
  SchedulePool pool;
  StatisticsBook book;
  u32 next_service_id = 1;
  api::Timeouts timeouts;
  bool has_translated = false;  // some server is, or was, one of nat or fullnat: connections of that kind may live
  VipFilter kept{};  // of mark rules that were deleted while this daemon lives: their connections go on, as in IPVS
};

// `tables`: their fingerprint.
[[nodiscard]] StoredState stored(const WriterState& state, u64 tables);

// Which addresses the packet path must look at: those of services, and those of removed servers whose connections may still
// send packets. IPVS: these are dropped, not the kernel's, but for when no service is left at all (it unhooks itself).
// `tables`: their next hops, whose addresses tunnels leave from.
[[nodiscard]] VipFilter filter_of(const WriterState& state, const Tables& tables);

// Ports of nat's servers (abi/service.hpp: mark_of_server). IPVS: a firewall mark's servers are TCP's.
[[nodiscard]] std::vector<ServiceKey> server_ports_of(const WriterState& state);

[[nodiscard]] std::vector<u32> slots_of(const ServiceProgram& program);

}  // namespace penstock::control
