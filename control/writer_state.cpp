#include "control/writer_state.hpp"

#include "control/images.hpp"
#include "control/local_pool.hpp"
#include "control/mark_table.hpp"
#include "datapath/core/hash.hpp"
#include "datapath/native/filter_uses.hpp"

namespace penstock::control {
namespace {

StoredService stored_service(const WriterState& state, const model::ServiceEntry& entry) {
  const ServiceProgram& program = *state.programs.at(entry.service.key);
  StoredService kept;
  kept.service = entry.service;
  kept.id = program.id;
  kept.schedule = program.schedule.start;
  kept.carried = state.book.service_account(program.id).carried;
  for (std::size_t i = 0; i < entry.servers.size(); ++i) {
    const ProgrammedServer& programmed = program.servers[i];
    const Slot slot{.index = programmed.slot, .generation = programmed.row.route.generation};
    kept.servers.push_back(
        {entry.servers[i], slot, state.book.server_account(programmed.slot).base, programmed.terms.last_weight});
  }
  return kept;
}

void mark(u64 (&bits)[vip_filter_bits / 64], const AddressImage& address) {
  const u32 bit = vip_filter_bit(address);
  bits[bit / 64] |= u64{1} << (bit % 64);
}

}  // namespace

StoredState stored(const WriterState& state, u64 tables) {
  StoredState kept;
  kept.tables = tables;
  kept.next_service_id = state.next_service_id;
  kept.slots_end = state.book.slots_end();
  kept.total_base = state.book.total_base();
  kept.timeouts = state.timeouts;
  kept.settings = state.desired.settings();
  kept.mark_rules = state.desired.mark_rules();
  kept.local_addresses = state.desired.local_addresses();
  for (const model::ServiceEntry& entry : state.desired.services())
    kept.services.push_back(stored_service(state, entry));
  for (const auto& [owner, slot] : state.slots.retired()) {
    const ServerAccount& account = state.book.server_account(slot.index);
    kept.retired.push_back({owner, slot, account.service, account.base});
  }
  return kept;
}

VipFilter filter_of(const WriterState& state, const Tables& tables) {
  if (state.programs.empty()) return {};
  VipFilter filter = state.kept;
  for (const auto& [key, program] : state.programs) {
    if (key.fwmark == 0) mark(filter.bits, image_of(key.vip.address));
    for (const ProgrammedServer& server : program->servers) {
      if (state.has_translated) mark(filter.servers, server.row.address);
      const NextHop& hop = tables.next_hops[server.row.route.next_hop];
      if (server.row.route.method == Method::tunnel) mark(filter.bits, hop.address);
    }
  }
  for (const auto& [owner, slot] : state.slots.retired()) {
    if (owner.service.fwmark == 0) mark(filter.bits, image_of(owner.service.vip.address));
    if (state.has_translated) mark(filter.servers, image_of(owner.server.address));
  }
  for (const AddressImage& address : known_addresses(*tables.local_pool)) mark(filter.bits, address);
  for (const model::Address& address : state.desired.local_addresses()) mark(filter.bits, image_of(address));
  add_mark_rules(filter, state.desired.mark_rules());
  filter.uses = uses_of(filter);
  return filter;
}

std::vector<ServiceKey> server_ports_of(const WriterState& state) {
  std::vector<ServiceKey> keys;
  for (const auto& [key, program] : state.programs)
    for (const ProgrammedServer& server : program->servers)
      if (server.row.route.method == Method::nat && server.row.port != be16{})
        keys.push_back({.vip = server.row.address,
                        .port = server.row.port,
                        .protocol = static_cast<u8>(key.protocol),
                        .family = server.row.family,
                        .mark = mark_of_server});
  return keys;
}

std::vector<u32> slots_of(const ServiceProgram& program) {
  std::vector<u32> slots;
  for (const ProgrammedServer& server : program.servers) slots.push_back(server.slot);
  return slots;
}

}  // namespace penstock::control
