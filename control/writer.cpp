#include "control/writer.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cerrno>

#include "control/adoption.hpp"
#include "control/connection_list.hpp"
#include "control/fingerprint.hpp"
#include "control/images.hpp"
#include "control/own_prefixes.hpp"
#include "control/service_program.hpp"
#include "control/settings.hpp"
#include "control/sweeper.hpp"
#include "control/tallies.hpp"
#include "datapath/core/connection.hpp"

namespace penstock::control {
namespace {

using schedulers::Change;

std::string adding(const model::Endpoint& server, const model::ServiceKey& key) {
  return "adding server " + to_string(server) + " of service " + to_string(key);
}

bool withdraws(const std::vector<Step>& steps) {
  return std::any_of(steps.begin(), steps.end(),
                     [](const Step& step) { return std::holds_alternative<WithdrawServer>(step); });
}

u32 shown(s32 count) { return count > 0 ? static_cast<u32>(count) : 0; }

constexpr std::array<const char*, reasons> reason_names = {
#define PEN_REASON_NAME(name, sentence) #name,
    PEN_REASONS(PEN_REASON_NAME)
#undef PEN_REASON_NAME
};

}  // namespace

Writer::Writer(const Surroundings& surroundings)
    : around_(surroundings),
      table_writer_(around_.tables),
      state_{.desired = {},
             .programs = {},
             .slots = Slots(around_.tables.servers, around_.tables.loads),
             .pool = SchedulePool(static_cast<u32>(around_.tables.schedules.size())),
             .book = StatisticsBook(around_.tables),
             .next_service_id = 1,
             .timeouts = initial_timeouts()} {}

Result<std::unique_ptr<Writer>> Writer::start(const Surroundings& surroundings) {
  std::optional<StoredState> known;
  if (surroundings.store) {
    auto loaded = surroundings.store->load();
    if (!loaded) return fail(loaded.error());
    known = std::move(*loaded);
  }
  auto writer = std::unique_ptr<Writer>(new Writer(surroundings));
  if (auto adopted = Adoption(*writer).take_over(known.value_or(StoredState{})); !adopted) return fail(adopted.error());
  writer->follow_next_hops();
  surroundings.next_hops.on_change([each = writer.get()] { each->follow_next_hops(); });
  return writer;
}

void Writer::follow_next_hops() {
  write_own_prefixes(*around_.tables.own_prefixes, around_.next_hops.own_prefixes());
  table_writer_.write_filter(filter_of(state_, around_.tables));
}

Result<void> Writer::commit(const std::function<Result<void>(Draft&)>& change) {
  Draft draft{state_, {}};
  auto done = change(draft);
  if (done) done = save(draft.state);
  if (!done) {
    for (const model::Address& address : draft.hops) around_.next_hops.release(address);
    return done;
  }
  adopt_draft(std::move(draft));
  return {};
}

void Writer::adopt_draft(Draft draft) {
  const Programs before = std::move(state_.programs);
  state_ = std::move(draft.state);
  const std::vector<Step> steps = plan(state_.programs, before);
  state_.has_translated = state_.has_translated || has_translating_server(state_.programs);
  const VipFilter filter = filter_of(state_, around_.tables);
  write_tallies(*around_.tables.settings, tallies_of(state_));
  table_writer_.widen_filter(filter);
  table_writer_.execute(steps);
  table_writer_.write_filter(filter);
  table_writer_.write_server_ports(server_ports_of(state_));
  if (model::number_of(state_.desired.settings(), "expire_nodest_conn") != 0 && withdraws(steps))
    end_orphans(around_.tables, around_.clock.ticks());
  const auto now = around_.clock.steady();
  for (const auto& [key, program] : before) {
    const auto after = state_.programs.find(key);
    if (after == state_.programs.end() || !is_same(after->second->region, program->region))
      state_.pool.release(program->region, now);
  }
  for (const Step& step : steps) {
    const auto* withdrawn = std::get_if<WithdrawServer>(&step);
    if (!withdrawn) continue;
    const RealServer& row = around_.tables.servers[withdrawn->slot];
    around_.next_hops.release(endpoint_of(row.address, row.family, row.port).address);
  }
}

Result<void> Writer::save(const WriterState& state) const {
  if (!around_.store) return {};
  return around_.store->save(stored(state, fingerprint_of(around_.tables.config.hash_key)));
}

void Writer::warn(const std::string& line) const {
  if (around_.warn) around_.warn(line);
}

Result<ProgrammedServer> Writer::place_server(Draft& draft, const SlotOwner& owner, u32 service,
                                              const model::RealServer& server, s32 last_weight) {
  const auto slot = draft.state.slots.take(owner);
  if (!slot) return fail(slot.error());
  const auto hop = around_.next_hops.acquire(server.endpoint.address);
  if (!hop) return fail(hop.error());
  draft.hops.push_back(server.endpoint.address);
  draft.state.book.join(slot->index, service);
  return ProgrammedServer{slot->index, row_of(server, *hop, slot->generation), terms_of(server, last_weight)};
}

Result<void> Writer::install(Draft& draft, const model::ServiceKey& key, ServiceProgram program,
                             schedulers::Schedule schedule) {
  if (schedule.scaled && !program.schedule.scaled)
    warn("service " + to_string(key) + ": the weights' cycle is too long, wrr approximates their proportions");
  program.schedule = std::move(schedule);
  program.region = {};
  const auto picks = static_cast<u32>(program.schedule.picks.size());
  if (picks > 0) {
    const auto region = draft.state.pool.allocate(picks, around_.clock.steady());
    if (!region) return with_context("scheduling service " + to_string(key), region.error());
    program.region = *region;
  }
  draft.state.programs[key] = std::make_shared<const ServiceProgram>(std::move(program));
  return {};
}

Result<void> Writer::reschedule(Draft& draft, const model::ServiceKey& key, ServiceProgram program, Change change) {
  const std::vector<schedulers::Server> servers = scheduled_servers(program);
  if (!schedulers::has_room(program.schedule.kind, servers.size()))
    return fail(ErrorCode::invalid_argument,
                "scheduling service " + to_string(key) + ": more servers than its scheduler has entries", EINVAL);
  const u64 taken = table_writer_.picks_taken(program.region);
  auto schedule = schedulers::change(program.schedule, taken, change, servers);
  return install(draft, key, std::move(program), std::move(schedule));
}

Result<void> Writer::add_service(const model::Service& service) {
  return commit([&](Draft& draft) -> Result<void> {
    if (auto added = draft.state.desired.add_service(service); !added) return added;
    if (!table_writer_.has_room_for(service.key))
      return fail(ErrorCode::exhausted, "adding service " + to_string(service.key) + ": the service table is full",
                  ENOMEM);
    ServiceProgram program;
    program.id = draft.state.next_service_id++;
    program.terms = terms_of(service, around_.clock.ticks_per_second());
    program.head = head_of(service);
    draft.state.book.open_service(program.id);
    return install(draft, service.key, std::move(program), schedulers::begin(kind_of(service), {}));
  });
}

Result<void> Writer::edit_service(const model::Service& service) {
  return commit([&](Draft& draft) -> Result<void> {
    if (auto edited = draft.state.desired.edit_service(service); !edited) return edited;
    ServiceProgram program = *draft.state.programs.at(service.key);
    const schedulers::Kind kind = kind_of(service);
    const ScheduleHead head = head_of(service);
    program.terms = terms_of(service, around_.clock.ticks_per_second());
    const bool same_head = std::bit_cast<u64>(head) == std::bit_cast<u64>(program.head);
    if (kind == program.schedule.kind && same_head) {
      draft.state.programs[service.key] = std::make_shared<const ServiceProgram>(std::move(program));
      return {};
    }
    program.head = head;
    const std::vector<schedulers::Server> servers = scheduled_servers(program);
    if (!schedulers::has_room(kind, servers.size()))
      return fail(ErrorCode::invalid_argument,
                  "editing service " + to_string(service.key) + ": more servers than the scheduler has entries",
                  EINVAL);
    return install(draft, service.key, std::move(program), schedulers::begin(kind, servers));
  });
}

void Writer::remove_service(Draft& draft, const model::ServiceKey& key) {
  for (const model::RealServer& server : draft.state.desired.find(key)->servers)
    draft.state.slots.retire({key, server.endpoint});
  draft.state.book.close_service(draft.state.programs.at(key)->id);
  draft.state.programs.erase(key);
}

Result<void> Writer::delete_service(const model::ServiceKey& key) {
  return commit([&](Draft& draft) -> Result<void> {
    if (draft.state.desired.find(key)) remove_service(draft, key);
    return draft.state.desired.delete_service(key);
  });
}

Result<void> Writer::flush() {
  return commit([&](Draft& draft) -> Result<void> {
    for (const model::ServiceEntry& entry : draft.state.desired.services()) remove_service(draft, entry.service.key);
    draft.state.desired.flush();
    return {};
  });
}

Result<void> Writer::add_server(const model::ServiceKey& key, const model::RealServer& server) {
  return commit([&](Draft& draft) -> Result<void> {
    if (auto added = draft.state.desired.add_server(key, server); !added) return added;
    ServiceProgram program = *draft.state.programs.at(key);
    const auto placed = place_server(draft, {key, server.endpoint}, program.id, server, 0);
    if (!placed) return with_context(adding(server.endpoint, key), placed.error());
    program.servers.insert(program.servers.begin(), *placed);
    return reschedule(draft, key, std::move(program), {Change::What::added, 0});
  });
}

Result<void> Writer::edit_server(const model::ServiceKey& key, const model::RealServer& server) {
  return commit([&](Draft& draft) -> Result<void> {
    if (auto edited = draft.state.desired.edit_server(key, server); !edited) return edited;
    const std::size_t position = *position_of(*draft.state.desired.find(key), server.endpoint);
    ServiceProgram program = *draft.state.programs.at(key);
    ProgrammedServer& edited_server = program.servers[position];
    const ServerRoute route = edited_server.row.route;
    edited_server.row = row_of(server, route.next_hop, route.generation);
    edited_server.terms = terms_of(server, edited_server.terms.last_weight);
    return reschedule(draft, key, std::move(program), {Change::What::edited, static_cast<u32>(position)});
  });
}

Result<void> Writer::delete_server(const model::ServiceKey& key, const model::Endpoint& endpoint) {
  return commit([&](Draft& draft) -> Result<void> {
    const model::ServiceEntry* entry = draft.state.desired.find(key);
    const std::size_t position = entry ? position_of(*entry, endpoint).value_or(0) : 0;
    if (auto deleted = draft.state.desired.delete_server(key, endpoint); !deleted) return deleted;
    draft.state.slots.retire({key, endpoint});
    ServiceProgram program = *draft.state.programs.at(key);
    program.servers.erase(program.servers.begin() + static_cast<std::ptrdiff_t>(position));
    return reschedule(draft, key, std::move(program), {Change::What::removed, static_cast<u32>(position)});
  });
}

Result<void> Writer::zero(const std::optional<model::ServiceKey>& key) {
  return commit([&](Draft& draft) -> Result<void> {
    const auto zero_one = [&](const ServiceProgram& program) {
      draft.state.book.zero_service(program.id, slots_of(program));
    };
    if (key) {
      const auto at = draft.state.programs.find(*key);
      if (at == draft.state.programs.end())
        return fail(ErrorCode::not_found, "zeroing service " + to_string(*key) + ": no such service", ESRCH);
      zero_one(*at->second);
      return {};
    }
    for (const auto& [each, program] : draft.state.programs) zero_one(*program);
    draft.state.book.zero_total();
    return {};
  });
}

api::ServiceView Writer::view_of(const model::ServiceEntry& entry) const {
  const ServiceProgram& program = *state_.programs.at(entry.service.key);
  api::ServiceView view;
  view.service = entry.service;
  view.statistics = state_.book.service(program.id);
  view.rates = state_.book.service_rates(program.id);
  for (std::size_t i = 0; i < entry.servers.size(); ++i) {
    const u32 slot = program.servers[i].slot;
    api::ServerView& server = view.servers.emplace_back();
    server.server = entry.servers[i];
    server.active = shown(load_acquire(&around_.tables.loads[slot].active));
    server.inactive = shown(load_acquire(&around_.tables.loads[slot].inactive));
    server.persistent = shown(load_acquire(&around_.tables.loads[slot].persistent));
    server.statistics = state_.book.server(slot);
    server.rates = state_.book.server_rates(slot);
  }
  return view;
}

Result<std::vector<api::ServiceView>> Writer::services() {
  std::vector<api::ServiceView> views;
  for (const model::ServiceEntry& entry : state_.desired.services()) views.push_back(view_of(entry));
  return views;
}

Result<api::ServiceView> Writer::service(const model::ServiceKey& key) {
  const model::ServiceEntry* entry = state_.desired.find(key);
  if (!entry) return fail(ErrorCode::not_found, "service " + to_string(key) + ": no such service", ESRCH);
  return view_of(*entry);
}

Result<void> Writer::connections(const std::function<void(const api::ConnectionView&)>& each) {
  list_connections(around_.tables, around_.clock.ticks(), each);
  return {};
}

Result<api::Timeouts> Writer::timeouts() { return state_.timeouts; }

Result<void> Writer::set_timeouts(const api::Timeouts& timeouts) {
  if (!are_valid(timeouts, around_.clock.ticks_per_second()))
    return fail(ErrorCode::invalid_argument, "setting timeouts: longer than the tables can count", EINVAL);
  const auto committed = commit([&](Draft& draft) -> Result<void> {
    draft.state.timeouts = changed(draft.state.timeouts, timeouts);
    return {};
  });
  if (committed) write_timeouts(*around_.tables.settings, state_.timeouts);
  return committed;
}

Result<api::Info> Writer::info() {
  const Config& config = around_.tables.config;
  return api::Info{.connection_buckets = config.connection_buckets,
                   .connections_max = config.connection_buckets * records_per_bucket,
                   .interfaces = around_.interfaces ? around_.interfaces() : std::vector<api::InterfaceView>{}};
}

Result<std::vector<api::Counter>> Writer::reasons() {
  std::vector<api::Counter> counters;
  for (std::size_t i = 0; i < reason_names.size(); ++i) {
    api::Counter& counter = counters.emplace_back(api::Counter{reason_names[i], 0, is_remark(static_cast<Reason>(i))});
    for (const ReasonCounters& row : around_.tables.reasons) counter.packets += load_acquire(&row.packets[i]);
  }
  return counters;
}

api::Statistics Writer::total_statistics() const { return state_.book.total(); }

api::Rates Writer::total_rates() const { return state_.book.total_rates(); }

void Writer::tick() {
  if (model::number_of(state_.desired.settings(), "run_estimation") != 0) state_.book.tick();
  write_settings();
  // Not stored: a successor finds these slots retired, and frees them likewise.
  const std::vector<u32> freed = state_.slots.free_what_is_due(around_.clock.steady());
  if (freed.empty()) return;
  for (const u32 slot : freed) state_.book.leave(slot);
  forget_slots(around_.tables, freed);
  table_writer_.write_filter(filter_of(state_, around_.tables));
}

}  // namespace penstock::control
