#include "control/adoption.hpp"

#include <cerrno>

#include "control/fingerprint.hpp"
#include "control/flip.hpp"
#include "control/images.hpp"
#include "control/service_program.hpp"
#include "control/settings.hpp"
#include "control/sweeper.hpp"
#include "control/tallies.hpp"

namespace penstock::control {
namespace {

// Equal to no region that a program has.
constexpr ScheduleRef unusable_region{.offset = ~0U, .size = 0};

std::shared_ptr<const ServiceProgram> record(const FoundService& found, const ScheduleRef& region) {
  ServiceProgram program;
  program.id = found.id;
  program.terms = found.terms;
  program.region = region;
  return std::make_shared<const ServiceProgram>(std::move(program));
}

}  // namespace

Result<void> Adoption::take_over(const StoredState& known) {
  same_tables_ = known.tables == fingerprint_of(writer_.around_.tables.config.hash_key);
  draft_.state.timeouts = known.timeouts;
  draft_.state.next_service_id = known.next_service_id;
  if (auto restored = restore_all_but_services(draft_.state.desired, known); !restored) return restored;
  take_stock();
  if (same_tables_) give_slots_back(known);
  for (const StoredService& service : known.services)
    if (auto restored = restore_service(service); !restored) return restored;
  write_settings();
  if (auto written = write_tables(); !written) return written;
  return writer_.save(writer_.state_);
}

// A region that a record leads to stays untouched until the record leads elsewhere.
void Adoption::take_stock() {
  for (const FoundService& found : writer_.table_writer_.services()) {
    const bool usable = found.schedule.size == 0 || draft_.state.pool.keep(found.schedule);
    standing_[found.key] = record(found, usable ? found.schedule : unusable_region);
  }
}

// Before any server takes a new slot.
void Adoption::give_slots_back(const StoredState& known) {
  draft_.state.book.adopt_total(known.slots_end, known.total_base);
  for (const StoredService& service : known.services) {
    draft_.state.book.adopt_service(service.id, service.carried);
    for (const StoredServer& server : service.servers)
      if (draft_.state.slots.adopt({service.service.key, server.server.endpoint}, server.slot, false))
        draft_.state.book.adopt_server(server.slot.index, service.id, server.base);
  }
  for (const StoredRetired& removed : known.retired)
    if (draft_.state.slots.adopt(removed.owner, removed.slot, true))
      draft_.state.book.adopt_server(removed.slot.index, removed.service, removed.base);
}

Result<void> Adoption::restore_service(const StoredService& known) {
  model::DesiredState& desired = draft_.state.desired;
  if (auto added = desired.add_service(known.service); !added) return added;
  for (auto oldest = known.servers.rbegin(); oldest != known.servers.rend(); ++oldest)
    if (auto added = desired.add_server(known.service.key, oldest->server); !added) return added;
  auto program = restore_program(known);
  if (!program) return with_context("restoring service " + to_string(known.service.key), program.error());
  return give_region(known.service.key, std::move(*program));
}

Result<ServiceProgram> Adoption::restore_program(const StoredService& known) {
  ServiceProgram program;
  program.id = known.id;
  if (!same_tables_) draft_.state.book.open_service(program.id);
  program.terms = terms_of(known.service, writer_.around_.clock.ticks_per_second());
  program.head = head_of(known.service);
  for (const StoredServer& server : known.servers) {
    const SlotOwner owner{known.service.key, server.server.endpoint};
    const auto placed = writer_.place_server(draft_, owner, program.id, server.server, server.last_weight);
    if (!placed) return fail(placed.error());
    program.servers.push_back(*placed);
  }
  program.schedule = schedulers::again(kind_of(known.service), known.schedule, scheduled_servers(program));
  return program;
}

Result<void> Adoption::give_region(const model::ServiceKey& key, ServiceProgram program) {
  const auto found = standing_.find(key);
  const bool stands = found != standing_.end() && same_tables_ && found->second->id == program.id &&
                      writer_.table_writer_.holds(found->second->region, program.head, picked_slots(program));
  if (!stands) {
    auto schedule = program.schedule;
    return writer_.install(draft_, key, std::move(program), std::move(schedule));
  }
  program.region = found->second->region;
  draft_.state.programs[key] = std::make_shared<const ServiceProgram>(std::move(program));
  return {};
}

void Adoption::write_settings() const {
  Settings& settings = *writer_.around_.tables.settings;
  const u32 ticks_per_second = writer_.around_.clock.ticks_per_second();
  if (settings.ticks_per_second != ticks_per_second) settings = initial_settings(ticks_per_second);
  write_timeouts(settings, draft_.state.timeouts);
}

Result<void> Adoption::write_tables() {
  TableWriter& tables = writer_.table_writer_;
  draft_.state.has_translated =
      has_translating_server(draft_.state.programs) || has_translated(writer_.around_.tables.connections);
  const VipFilter filter = filter_of(draft_.state, writer_.around_.tables);
  write_tallies(*writer_.around_.tables.settings, tallies_of(draft_.state));
  tables.widen_filter(filter);
  Programs strangers = standing_;
  for (const auto& [key, program] : draft_.state.programs) strangers.erase(key);
  tables.execute(plan({}, strangers));
  for (const auto& [key, program] : draft_.state.programs) {
    Programs before;
    if (const auto found = standing_.find(key); found != standing_.end()) before[key] = found->second;
    if (before.empty() && !tables.has_room_for(key))
      return fail(ErrorCode::exhausted, "restoring service " + to_string(key) + ": the service table is full", ENOMEM);
    tables.execute(plan({{key, program}}, before));
  }
  tables.write_filter(filter);
  const auto now = writer_.around_.clock.steady();
  for (const auto& [key, found] : standing_) {
    const auto after = draft_.state.programs.find(key);
    const bool stays = after != draft_.state.programs.end() && is_same(after->second->region, found->region);
    if (!stays) draft_.state.pool.release(found->region, now);
  }
  writer_.state_ = std::move(draft_.state);
  withdraw_strangers();
  tables.write_server_ports(server_ports_of(writer_.state_));
  writer_.write_settings();
  writer_.write_mark_rules();
  writer_.write_local_addresses();
  return {};
}

void Adoption::withdraw_strangers() {
  std::set<u32> known;
  for (const auto& [key, program] : writer_.state_.programs)
    for (const u32 slot : slots_of(*program)) known.insert(slot);
  const Tables& tables = writer_.around_.tables;
  std::vector<u32> strangers;
  for (u32 slot = server_of_none + 1; slot < tables.servers.size(); ++slot)
    if (read(tables.servers[slot].route).available && !known.contains(slot)) strangers.push_back(slot);
  if (strangers.empty()) return;
  for (const u32 slot : strangers) writer_.table_writer_.execute({WithdrawServer{slot}});
  forget_slots(tables, strangers);
}

}  // namespace penstock::control
