// Timeouts and sysctls as the packet path reads them.
#pragma once

#include "api/types.hpp"
#include "control/defence.hpp"
#include "datapath/abi/config.hpp"
#include "model/setting.hpp"

namespace penstock::control {

// IPVS's defaults (ipvs-spec.md §3, §4, §5, §19).
[[nodiscard]] Settings initial_settings(u32 ticks_per_second);
[[nodiscard]] api::Timeouts initial_timeouts();

// IPVS: ipvsadm --set. ESTABLISHED, FIN_WAIT and UDP; 0 leaves a value unchanged. Error: more seconds than ticks can count
// (2^31 ticks; IPVS: EINVAL).
inline constexpr u32 timeout_ticks_max = 0x7fffffff;
[[nodiscard]] bool are_valid(const api::Timeouts& timeouts, u32 ticks_per_second);
[[nodiscard]] api::Timeouts changed(const api::Timeouts& timeouts, const api::Timeouts& change);
// Writes them into the live settings. A running connection gets the new value with its next packet.
void write_timeouts(Settings& settings, const api::Timeouts& timeouts);

// The operator's settings and what the defences make of them, into the live ones; word by word, as sysctls change.
void write_settings(Settings& live, const model::Settings& wanted, const Defence& defence);

// The operator's settings, all that there are.
[[nodiscard]] std::vector<api::Setting> views_of(const model::Settings& settings);

}  // namespace penstock::control
