// What there is of each kind, so that the packet path looks for nothing in vain (Settings: what there is).
#pragma once

#include <span>

#include "control/writer_state.hpp"

namespace penstock::control {

struct Tallies {
  u32 port_zero_services = 0;
  u32 ftp_services = 0;
  u32 translating_servers = 0;
  u32 tunnel_servers = 0;
};

[[nodiscard]] Tallies tallies_of(const WriterState& state);
void write_tallies(Settings& live, const Tallies& tallies);

// Whether a server of these is one of nat or fullnat.
[[nodiscard]] bool has_translating_server(const Programs& programs);

// Whether a connection of nat or fullnat is among these.
[[nodiscard]] bool has_translated(std::span<const ConnectionBucket> connections);

}  // namespace penstock::control
