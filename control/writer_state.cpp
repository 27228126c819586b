#include "control/writer_state.hpp"

#include "control/images.hpp"
#include "control/mark_table.hpp"
#include "datapath/core/hash.hpp"

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
    kept.servers.push_back({entry.servers[i], slot, state.book.server_account(programmed.slot).base});
  }
  return kept;
}

void mark(VipFilter& filter, const model::Address& address) {
  const u32 bit = vip_filter_bit(image_of(address));
  filter.bits[bit / 64] |= u64{1} << (bit % 64);
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

VipFilter filter_of(const WriterState& state) {
  VipFilter filter{};
  if (state.programs.empty()) return filter;
  for (const auto& [key, program] : state.programs) mark(filter, key.vip.address);
  for (const auto& [owner, slot] : state.slots.retired()) mark(filter, owner.service.vip.address);
  for (const model::Address& address : state.desired.local_addresses()) mark(filter, address);
  add_mark_rules(filter, state.desired.mark_rules());
  return filter;
}

std::vector<std::int32_t> weights_of(const model::ServiceEntry& entry) {
  std::vector<std::int32_t> weights;
  for (const model::RealServer& server : entry.servers) weights.push_back(server.weight);
  return weights;
}

std::vector<u32> slots_of(const ServiceProgram& program) {
  std::vector<u32> slots;
  for (const ProgrammedServer& server : program.servers) slots.push_back(server.slot);
  return slots;
}

}  // namespace penstock::control
