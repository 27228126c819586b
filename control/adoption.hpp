// How a writer begins: it makes the tables hold what was stored, whatever they hold now. Fresh tables are programmed from
// nothing. Tables of a former daemon go on: a schedule that stands as it should keeps its cursor, servers keep their slots,
// generations, counters and connections; services and servers that the store does not know are taken out. A daemon that
// died between storing and programming is healed by the same steps.
#pragma once

#include <set>

#include "control/writer.hpp"

namespace penstock::control {

class Adoption {
 public:
  explicit Adoption(Writer& writer) : writer_(writer), draft_{writer.state_, {}} {}

  Result<void> take_over(const StoredState& known);

 private:
  void take_stock();
  void give_slots_back(const StoredState& known);
  Result<void> restore_service(const StoredService& known);
  Result<ServiceProgram> restore_program(const StoredService& known);
  Result<void> give_region(const model::ServiceKey& key, ServiceProgram program);
  void write_settings() const;
  Result<void> write_tables();
  void withdraw_strangers();

  Writer& writer_;
  Writer::Draft draft_;
  bool same_tables_ = false;
  Programs standing_;  // records as they were found: id and region
};

}  // namespace penstock::control
