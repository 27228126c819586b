#include "control/tallies.hpp"

#include "datapath/core/connection.hpp"

namespace penstock::control {
namespace {

constexpr std::uint16_t ftp = 21;

}  // namespace

Tallies tallies_of(const WriterState& state) {
  Tallies tallies;
  for (const auto& [key, program] : state.programs) {
    tallies.port_zero_services += key.fwmark == 0 && key.vip.port == 0;
    tallies.ftp_services += key.fwmark == 0 && key.protocol == model::Protocol::tcp && key.vip.port == ftp;
    for (const ProgrammedServer& server : program->servers)
      tallies.tunnel_servers += server.row.route.method == Method::tunnel;
  }
  // A removed server's tunnels may still be complained about, and its connections be answered.
  tallies.tunnel_servers += !state.slots.retired().empty();
  tallies.translating_servers = state.has_translated;
  return tallies;
}

void write_tallies(Settings& live, const Tallies& tallies) {
  store_release(&live.port_zero_services, tallies.port_zero_services);
  store_release(&live.ftp_services, tallies.ftp_services);
  store_release(&live.translating_servers, tallies.translating_servers);
  store_release(&live.tunnel_servers, tallies.tunnel_servers);
}

bool has_translating_server(const Programs& programs) {
  for (const auto& [key, program] : programs)
    for (const ProgrammedServer& server : program->servers)
      if (is_translating(server.row.route.method)) return true;
  return false;
}

bool has_translated(std::span<const ConnectionBucket> connections) {
  for (const ConnectionBucket& bucket : connections)
    for (const Connection& record : bucket.records)
      if (is_live(load_acquire(&record.word)) && load_acquire(&record.key.role) == Role::request &&
          is_translating(method_of(load_acquire(&record.traits))))
        return true;
  return false;
}

}  // namespace penstock::control
