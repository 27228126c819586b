// A service of the desired state as the tables will hold it: what a record, a schedule's head and a server's row say.
#pragma once

#include "control/reconciler.hpp"
#include "model/desired_state.hpp"

namespace penstock::control {

[[nodiscard]] RealServer row_of(const model::RealServer& server, u32 next_hop, u16 generation);
// `last_weight`: of the server before, 0 for a new one (IPVS: an edit to 0 keeps it).
[[nodiscard]] ServerTerms terms_of(const model::RealServer& server, s32 last_weight);
[[nodiscard]] ServiceTerms terms_of(const model::Service& service, u32 ticks_per_second);
[[nodiscard]] ScheduleHead head_of(const model::Service& service);

// What the scheduler's table is made of.
[[nodiscard]] std::vector<schedulers::Server> scheduled_servers(const ServiceProgram& program);

// DesiredState has checked the name.
[[nodiscard]] schedulers::Kind kind_of(const model::Service& service);

}  // namespace penstock::control
