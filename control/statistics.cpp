#include "control/statistics.hpp"

#include <algorithm>

#include "datapath/core/atomic.hpp"

namespace penstock::control {

api::Statistics raw_statistics(const Tables& tables, u32 slot) {
  api::Statistics sum;
  for (u32 cpu = 0; cpu < tables.config.cpus; ++cpu) {
    const ServerCounters& row = tables.counters[std::size_t{slot} * tables.config.cpus + cpu];
    sum.connections += load_acquire(&row.connections);
    sum.in_packets += load_acquire(&row.in_packets);
    sum.out_packets += load_acquire(&row.out_packets);
    sum.in_bytes += load_acquire(&row.in_bytes);
    sum.out_bytes += load_acquire(&row.out_bytes);
  }
  return sum;
}

void add(api::Statistics& to, const api::Statistics& amount) {
  to.connections += amount.connections;
  to.in_packets += amount.in_packets;
  to.out_packets += amount.out_packets;
  to.in_bytes += amount.in_bytes;
  to.out_bytes += amount.out_bytes;
}

void subtract(api::Statistics& from, const api::Statistics& amount) {
  from.connections -= amount.connections;
  from.in_packets -= amount.in_packets;
  from.out_packets -= amount.out_packets;
  from.in_bytes -= amount.in_bytes;
  from.out_bytes -= amount.out_bytes;
}

void StatisticsBook::open_service(u32 id) { services_[id] = ServiceAccount{}; }

void StatisticsBook::close_service(u32 id) { services_.erase(id); }

void StatisticsBook::join(u32 slot, u32 service) {
  count_slots_up_to(slot);
  const auto held = servers_.find(slot);
  if (held != servers_.end() && held->second.service == service) {
    held->second.estimator.restart(server(slot));
    return;
  }
  leave(slot);
  const api::Statistics raw = raw_statistics(*tables_, slot);
  servers_[slot] = ServerAccount{service, raw, {}};
  ServiceAccount& account = services_.at(service);
  account.slots.insert(slot);
  subtract(account.carried, raw);
}

void StatisticsBook::leave(u32 slot) {
  const auto held = servers_.find(slot);
  if (held == servers_.end()) return;
  const auto service = services_.find(held->second.service);
  if (service != services_.end()) {
    add(service->second.carried, raw_statistics(*tables_, slot));
    service->second.slots.erase(slot);
  }
  servers_.erase(held);
}

void StatisticsBook::zero_service(u32 id, std::span<const u32> servers) {
  ServiceAccount& account = services_.at(id);
  account.carried = {};
  const api::Statistics raw = shown(account);
  subtract(account.carried, raw);
  account.estimator.restart({});
  for (const u32 slot : servers) {
    ServerAccount& server_account = servers_.at(slot);
    server_account.base = raw_statistics(*tables_, slot);
    server_account.estimator.restart({});
  }
}

void StatisticsBook::zero_total() {
  total_base_ = raw_total();
  total_estimator_.restart({});
}

void StatisticsBook::tick() {
  for (auto& [slot, account] : servers_) account.estimator.tick(server(slot));
  for (auto& [id, account] : services_) account.estimator.tick(shown(account));
  total_estimator_.tick(total());
}

api::Statistics StatisticsBook::server(u32 slot) const {
  api::Statistics counted = raw_statistics(*tables_, slot);
  subtract(counted, servers_.at(slot).base);
  return counted;
}

api::Statistics StatisticsBook::service(u32 id) const { return shown(services_.at(id)); }

api::Statistics StatisticsBook::total() const {
  api::Statistics counted = raw_total();
  subtract(counted, total_base_);
  return counted;
}

void StatisticsBook::adopt_total(u32 slots_end, const api::Statistics& base) {
  slots_end_ = std::min(slots_end, static_cast<u32>(tables_->servers.size()));
  total_base_ = base;
  total_estimator_.restart(total());
}

void StatisticsBook::adopt_service(u32 id, const api::Statistics& carried) { services_[id].carried = carried; }

void StatisticsBook::adopt_server(u32 slot, u32 service, const api::Statistics& base) {
  count_slots_up_to(slot);
  servers_[slot] = ServerAccount{service, base, {}};
  servers_[slot].estimator.restart(server(slot));
  const auto account = services_.find(service);
  if (account == services_.end()) return;
  account->second.slots.insert(slot);
  account->second.estimator.restart(shown(account->second));
}

api::Statistics StatisticsBook::shown(const ServiceAccount& account) const {
  api::Statistics sum = account.carried;
  for (const u32 slot : account.slots) add(sum, raw_statistics(*tables_, slot));
  return sum;
}

api::Statistics StatisticsBook::raw_total() const {
  api::Statistics sum;
  for (u32 slot = 0; slot < slots_end_; ++slot) add(sum, raw_statistics(*tables_, slot));
  return sum;
}

// What a slot had counted before it was ours is nobody's.
void StatisticsBook::count_slots_up_to(u32 slot) {
  for (; slots_end_ <= slot; ++slots_end_) add(total_base_, raw_statistics(*tables_, slots_end_));
}

}  // namespace penstock::control
