#include "control/table_writer.hpp"

#include <bit>
#include <cassert>
#include <span>
#include <unordered_set>

#include "control/flip.hpp"
#include "control/images.hpp"
#include "datapath/core/hash.hpp"
#include "datapath/core/table_insert.hpp"

namespace penstock::control {
namespace {

constexpr u32 no_time = 0;  // services do not expire

void nothing_ends(const Service&, u64) {}

Place place_of_service(const Tables& tables, const ServiceKey& key) {
  return place_of(hash_of(tables.config.hash_key, key), tables.config.service_buckets);
}

Found<Service> find_service(const Tables& tables, const ServiceKey& key) {
  return find_record<Service>(tables.service_table(), place_of_service(tables, key), key, no_time, Guess::absent);
}

// See mark_of_server.
bool is_server_port(const ServiceKey& key) { return key.mark == mark_of_server && key.protocol != 0; }

}  // namespace

TableWriter::TableWriter(const Tables& tables) : tables_(tables) {
  free_claimed_records();
  write_server_of_none();
}

// Connections that bypass all servers belong to it.
void TableWriter::write_server_of_none() {
  tables_.loads[server_of_none].weight = 1;
  flip(tables_.servers[server_of_none].route,
       {.next_hop = no_next_hop, .generation = 0, .method = Method::bypass, .available = 1});
}

// A daemon that died between claim and publication, or while it removed a record. Nobody else claims service records.
void TableWriter::free_claimed_records() {
  const TableView<Service> table = tables_.service_table();
  for (u32 i = 0; i < table.buckets.size(); ++i)
    for (u32 slot = 0; slot < records_per_bucket; ++slot) {
      Service& record = table.buckets[i].records[slot];
      if (is_live(load_acquire(&record.word))) continue;
      set_tag(table.tags(i), slot, 0);
      exchange(&record.word, 0);
    }
}

namespace {

// The filter is words of bits, all alike.
std::span<u64> words_of(VipFilter& filter) { return {reinterpret_cast<u64*>(&filter), sizeof filter / sizeof(u64)}; }
std::span<const u64> words_of(const VipFilter& filter) {
  return {reinterpret_cast<const u64*>(&filter), sizeof filter / sizeof(u64)};
}

}  // namespace

void TableWriter::widen_filter(const VipFilter& by) {
  const auto live = words_of(*tables_.vip_filter);
  const auto wanted = words_of(by);
  for (std::size_t i = 0; i < live.size(); ++i)
    if ((wanted[i] & ~live[i]) != 0) store_release(&live[i], live[i] | wanted[i]);
}

void TableWriter::write_filter(const VipFilter& filter) {
  const auto live = words_of(*tables_.vip_filter);
  const auto wanted = words_of(filter);
  for (std::size_t i = 0; i < live.size(); ++i)
    if (live[i] != wanted[i]) store_release(&live[i], wanted[i]);
}

std::vector<FoundService> TableWriter::services() const {
  std::vector<FoundService> found;
  for (const ServiceBucket& bucket : tables_.services)
    for (const Service& record : bucket.records)
      if (is_live(load_acquire(&record.word)) && !is_server_port(record.key))
        found.push_back({key_of(record.key),
                         record.id,
                         read(record.schedule),
                         {record.flags, record.persistence_ticks, record.netmask}});
  return found;
}

bool TableWriter::has_room_for(const model::ServiceKey& key) const {
  const Place place = place_of_service(tables_, image_of(key));
  return zero_bytes(tables_.service_tags[place.bucket[0]]) != 0 ||
         zero_bytes(tables_.service_tags[place.bucket[1]]) != 0;
}

u64 TableWriter::picks_taken(const ScheduleRef& schedule) const {
  return schedule.size == 0 ? 0 : load_acquire(&tables_.schedules[schedule.offset]);
}

bool TableWriter::holds(const ScheduleRef& schedule, const ScheduleHead& head, const std::vector<u32>& slots) const {
  if (schedule.size != slots.size()) return false;
  if (schedule.size == 0) return true;
  if (tables_.schedules[schedule.offset + schedule_head_cell] != std::bit_cast<u64>(head)) return false;
  for (u32 i = 0; i < schedule.size; ++i)
    if (tables_.schedules[schedule.offset + schedule_header_cells + i] != slots[i]) return false;
  return true;
}

void TableWriter::execute(const std::vector<Step>& steps) {
  for (const Step& step : steps) std::visit([this](const auto& known) { carry_out(known); }, step);
}

namespace {

// IPVS (6.1, __ip_vs_update_dest): a threshold that is lifted or raised ends the overload at once.
void write_terms(ServerLoad& load, const ServerTerms& terms) {
  const u32 former = load.upper_threshold;
  store_release(&load.weight, terms.weight);
  if (terms.upper_threshold == 0 || terms.upper_threshold > former) store_release(&load.overloaded, 0U);
  store_release(&load.lower_threshold, terms.lower_threshold);
  store_release(&load.upper_threshold, terms.upper_threshold);
}

}  // namespace

void TableWriter::carry_out(const WriteServer& step) {
  RealServer& row = tables_.servers[step.slot];
  const bool is_another = read(row.route).generation != step.row.route.generation;
  if (is_another) store_release(&tables_.loads[step.slot].path_mtu, 0U);  // learnt of the former server's way
  row.address = step.row.address;
  row.port = step.row.port;
  row.family = step.row.family;
  row.tunnel = step.row.tunnel;
  row.tunnel_port = step.row.tunnel_port;
  row.tunnel_checksum = step.row.tunnel_checksum;
  write_terms(tables_.loads[step.slot], step.terms);
  flip(row.route, step.row.route);
}

void TableWriter::carry_out(const WriteSchedule& step) {
  u64* cells = &tables_.schedules[step.region.offset];
  for (u32 i = 0; i < schedule_header_cells; ++i) store_release(&cells[i], u64{0});
  store_release(&cells[schedule_head_cell], std::bit_cast<u64>(step.head));
  u64* cell = &cells[schedule_header_cells];
  for (const u32 slot : step.slots) store_release(cell++, u64{slot});
}

bool TableWriter::insert(const ServiceKey& key, const Service& content) {
  return insert_record(tables_.service_table(), place_of_service(tables_, key), content, 0, no_time, no_time,
                       WhenFull::refuse, nothing_ends)
      .stored;
}

void TableWriter::carry_out(const PublishService& step) {
  const ServiceKey key = image_of(step.key);
  if (const Found<Service> found = find_service(tables_, key); found.record) {
    found.record->id = step.id;
    store_release(&found.record->persistence_ticks, step.terms.persistence_ticks);
    store_release(&found.record->netmask, step.terms.netmask);
    store_release(&found.record->flags, step.terms.flags);
    flip(found.record->schedule, step.schedule);
    return;
  }
  Service record{};
  record.key = key;
  record.schedule = step.schedule;
  record.id = step.id;
  record.flags = step.terms.flags;
  record.persistence_ticks = step.terms.persistence_ticks;
  record.netmask = step.terms.netmask;
  [[maybe_unused]] const bool stored = insert(key, record);
  assert(stored && "a service record finds no place though there was room");
}

void TableWriter::write_server_ports(const std::vector<ServiceKey>& keys) {
  std::unordered_set<const Service*> wanted;
  for (const ServiceKey& key : keys) wanted.insert(find_service(tables_, key).record);
  for (const ServiceBucket& bucket : tables_.services)
    for (const Service& record : bucket.records) {
      if (!is_live(load_acquire(&record.word)) || !is_server_port(record.key) || wanted.contains(&record)) continue;
      end_record(tables_.service_table(), find_service(tables_, record.key), no_time, nothing_ends);
    }
  for (const ServiceKey& key : keys) {
    if (find_service(tables_, key).record) continue;
    Service record{};
    record.key = key;
    insert(key, record);
  }
}

void TableWriter::carry_out(const RemoveService& step) {
  const ServiceKey key = image_of(step.key);
  const Found<Service> found = find_service(tables_, key);
  if (!found.record) return;
  end_record(tables_.service_table(), found, no_time, nothing_ends);
}

void TableWriter::carry_out(const WithdrawServer& step) {
  ServerRoute route = read(tables_.servers[step.slot].route);
  route.next_hop = no_next_hop;
  route.available = 0;
  flip(tables_.servers[step.slot].route, route);
}

}  // namespace penstock::control
