// Who counted what. The packet path only adds, by slot and CPU; here these sums become a server's, a service's and everyone's,
// read afresh for every answer.
//
// IPVS: a service keeps what its removed servers had counted, zeroing stores a base and leaves the raw counters alone, and a
// removed server that comes back to the same service comes back with its counters. Raw sums only grow (a slot's next server
// goes on from there), so each account is "the sum of my slots, less what I was given with": differences modulo 2^64.
#pragma once

#include <functional>
#include <map>
#include <set>
#include <span>

#include "api/types.hpp"
#include "control/estimator.hpp"
#include "datapath/native/tables.hpp"

namespace penstock::control {

// Counters of a slot, summed over CPUs.
[[nodiscard]] api::Statistics raw_statistics(const Tables& tables, u32 slot);

void add(api::Statistics& to, const api::Statistics& amount);
void subtract(api::Statistics& from, const api::Statistics& amount);

struct ServerAccount {
  u32 service = 0;       // id; a service made anew has another one
  api::Statistics base;  // the raw sum when the server was made or zeroed
  Estimator estimator;
};

struct ServiceAccount {
  api::Statistics carried;  // added to the raw sums of `slots`, gives what the service shows
  std::set<u32> slots;      // of its servers, removed ones too while they keep their slot
  Estimator estimator;
};

class StatisticsBook {
 public:
  // The tables outlive the book.
  explicit StatisticsBook(const Tables& tables) : tables_(&tables) {}

  void open_service(u32 id);
  void close_service(u32 id);
  // The slot belongs to a server of this service now. IPVS: back in the same service it shows its old counters.
  void join(u32 slot, u32 service);
  // The slot is free: its server is forgotten, the service keeps what it counted.
  void leave(u32 slot);

  // `servers`: slots of those that are in the service now.
  void zero_service(u32 id, std::span<const u32> servers);
  void zero_total();
  // Once every estimator_period.
  void tick();

  [[nodiscard]] api::Statistics server(u32 slot) const;
  [[nodiscard]] api::Rates server_rates(u32 slot) const { return servers_.at(slot).estimator.rates(); }
  [[nodiscard]] api::Statistics service(u32 id) const;
  [[nodiscard]] api::Rates service_rates(u32 id) const { return services_.at(id).estimator.rates(); }
  [[nodiscard]] api::Statistics total() const;
  [[nodiscard]] api::Rates total_rates() const { return total_estimator_.rates(); }

  // For the store: an account as it stands, and back. Adopted servers follow their services.
  [[nodiscard]] const ServerAccount& server_account(u32 slot) const { return servers_.at(slot); }
  [[nodiscard]] const ServiceAccount& service_account(u32 id) const { return services_.at(id); }
  [[nodiscard]] u32 slots_end() const { return slots_end_; }
  [[nodiscard]] const api::Statistics& total_base() const { return total_base_; }
  void adopt_total(u32 slots_end, const api::Statistics& base);
  void adopt_service(u32 id, const api::Statistics& carried);
  void adopt_server(u32 slot, u32 service, const api::Statistics& base);

 private:
  [[nodiscard]] api::Statistics shown(const ServiceAccount& account) const;
  [[nodiscard]] api::Statistics raw_total() const;
  void count_slots_up_to(u32 slot);

  const Tables* tables_;
  std::map<u32, ServerAccount> servers_;    // by slot
  std::map<u32, ServiceAccount> services_;  // by id
  u32 slots_end_ = 0;                       // one past the highest slot that ever had a server
  api::Statistics total_base_;
  Estimator total_estimator_;
};

}  // namespace penstock::control
