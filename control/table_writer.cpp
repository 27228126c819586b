#include "control/table_writer.hpp"

#include <cassert>
#include <iterator>

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

}  // namespace

TableWriter::TableWriter(const Tables& tables) : tables_(tables) { free_claimed_records(); }

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

void TableWriter::widen_filter(const VipFilter& by) {
  for (u32 i = 0; i < std::size(by.bits); ++i) {
    u64& word = tables_.vip_filter->bits[i];
    if ((by.bits[i] & ~word) != 0) store_release(&word, word | by.bits[i]);
  }
}

void TableWriter::write_filter(const VipFilter& filter) {
  for (u32 i = 0; i < std::size(filter.bits); ++i) {
    u64& word = tables_.vip_filter->bits[i];
    if (word != filter.bits[i]) store_release(&word, filter.bits[i]);
  }
}

std::vector<FoundService> TableWriter::services() const {
  std::vector<FoundService> found;
  for (const ServiceBucket& bucket : tables_.services)
    for (const Service& record : bucket.records)
      if (is_live(load_acquire(&record.word))) found.push_back({key_of(record.key), record.id, read(record.schedule)});
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

bool TableWriter::holds(const ScheduleRef& schedule, const std::vector<u32>& slots) const {
  if (schedule.size != slots.size()) return false;
  for (u32 i = 0; i < schedule.size; ++i)
    if (tables_.schedules[schedule.offset + schedule_header_cells + i] != slots[i]) return false;
  return true;
}

void TableWriter::execute(const std::vector<Step>& steps) {
  for (const Step& step : steps) std::visit([this](const auto& known) { carry_out(known); }, step);
}

void TableWriter::carry_out(const WriteServer& step) {
  RealServer& row = tables_.servers[step.slot];
  row.address = step.row.address;
  row.port = step.row.port;
  row.family = step.row.family;
  flip(row.route, step.row.route);
}

void TableWriter::carry_out(const WriteSchedule& step) {
  u64* cell = &tables_.schedules[step.region.offset];
  store_release(cell, u64{0});
  for (const u32 slot : step.slots) store_release(++cell, u64{slot});
}

void TableWriter::carry_out(const PublishService& step) {
  const ServiceKey key = image_of(step.key);
  if (const Found<Service> found = find_service(tables_, key); found.record) {
    found.record->id = step.id;
    flip(found.record->schedule, step.schedule);
    return;
  }
  Service record{};
  record.key = key;
  record.schedule = step.schedule;
  record.id = step.id;
  [[maybe_unused]] const auto made = insert_record(tables_.service_table(), place_of_service(tables_, key), record, 0,
                                                   no_time, no_time, WhenFull::refuse, nothing_ends);
  assert(made.stored && "a service record finds no place though there was room");
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
