// Carries a plan out on the tables. The only code of the control plane that writes services, servers, schedules and the VIP
// filter; the packet path reads them at the same time, so every flip is one aligned 64-bit store.
//
// There is one table writer for a set of tables. It begins by taking stock of what a former daemon left.
#pragma once

#include <vector>

#include "control/reconciler.hpp"
#include "datapath/native/tables.hpp"

namespace penstock::control {

// A service record as it stands in the tables.
struct FoundService {
  model::ServiceKey key;
  u32 id = 0;
  ScheduleRef schedule{};
  ServiceTerms terms{};
};

class TableWriter {
 public:
  // Frees half-made service records.
  explicit TableWriter(const Tables& tables);

  [[nodiscard]] std::vector<FoundService> services() const;
  // Whether a record for one more service finds a place.
  [[nodiscard]] bool has_room_for(const model::ServiceKey& key) const;
  // Picks taken from a schedule since it was written; 0 for the empty one.
  [[nodiscard]] u64 picks_taken(const ScheduleRef& schedule) const;
  // Whether the region holds exactly this.
  [[nodiscard]] bool holds(const ScheduleRef& schedule, const ScheduleHead& head, const std::vector<u32>& slots) const;

  // The filter holds a VIP before its first record is published and after its last one is removed.
  void widen_filter(const VipFilter& by);
  void write_filter(const VipFilter& filter);

  // Which real servers' ports an answer of nat_icmp_send may be about, exactly these; those that find no place are left out.
  void write_server_ports(const std::vector<ServiceKey>& keys);

  // Cannot fail: whoever asks for a new service has seen that there is room.
  void execute(const std::vector<Step>& steps);

 private:
  void carry_out(const WriteServer& step);
  void carry_out(const WriteSchedule& step);
  void carry_out(const PublishService& step);
  void carry_out(const RemoveService& step);
  void carry_out(const WithdrawServer& step);

  void free_claimed_records();
  void write_server_of_none();
  bool insert(const ServiceKey& key, const Service& content);

  const Tables& tables_;
};

}  // namespace penstock::control
