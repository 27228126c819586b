// The writer: the one door behind which everything of a director changes. A command is checked against
// the desired state, everything it needs is reserved, the new state is stored, and only then are the tables changed, the
// service record last. Whatever fails before that leaves desired state, store and tables as they were.
//
// One thread owns a Writer. The packet path runs beside it and shares only the tables.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "api/director.hpp"
#include "control/clock.hpp"
#include "control/local_pool.hpp"
#include "control/next_hops.hpp"
#include "control/store.hpp"
#include "control/table_writer.hpp"
#include "control/writer_state.hpp"
#include "datapath/native/tables.hpp"

namespace penstock::control {

class Writer final : public api::Director {
 public:
  // All four outlive the writer.
  struct Surroundings {
    const Tables& tables;
    NextHops& next_hops;
    const Clock& clock;
    Store* store = nullptr;                        // none: nothing survives the process
    std::function<void(const std::string&)> warn;  // what an operator should know, one line; may be empty
    std::function<u64()> available_pages = {};     // for the defences (defence.hpp); may be empty: plenty
    std::function<std::vector<api::InterfaceView>()> interfaces = {};  // for info(); may be empty: none
  };

  // Programs what the store holds. Tables that a former writer left (same boot secret) are adopted: slots, counters,
  // connections and cursors go on; what the store does not know is removed from them.
  [[nodiscard]] static Result<std::unique_ptr<Writer>> start(const Surroundings& surroundings);

  Result<void> add_service(const model::Service& service) override;
  Result<void> edit_service(const model::Service& service) override;
  Result<void> delete_service(const model::ServiceKey& key) override;
  Result<void> flush() override;

  Result<void> add_server(const model::ServiceKey& key, const model::RealServer& server) override;
  Result<void> edit_server(const model::ServiceKey& key, const model::RealServer& server) override;
  Result<void> delete_server(const model::ServiceKey& key, const model::Endpoint& endpoint) override;

  Result<void> zero(const std::optional<model::ServiceKey>& key) override;

  Result<std::vector<api::ServiceView>> services() override;
  Result<api::ServiceView> service(const model::ServiceKey& key) override;
  Result<void> connections(const std::function<void(const api::ConnectionView&)>& each) override;

  Result<api::Timeouts> timeouts() override;
  Result<void> set_timeouts(const api::Timeouts& timeouts) override;

  Result<std::vector<api::Setting>> settings() override;
  Result<void> set_setting(const std::string& name, const std::string& value) override;
  Result<std::vector<model::MarkRule>> mark_rules() override;
  Result<void> add_mark_rule(const model::MarkRule& rule) override;
  Result<void> delete_mark_rule(const model::MarkRule& rule) override;
  Result<std::vector<model::Address>> local_addresses() override;
  Result<void> add_local_address(const model::Address& address) override;
  Result<void> delete_local_address(const model::Address& address) override;

  Result<api::Info> info() override;
  Result<std::vector<api::Counter>> reasons() override;

  // Of everything since the tables were made or `zero` without a key (IPVS: /proc/net/ip_vs_stats).
  [[nodiscard]] api::Statistics total_statistics() const;
  [[nodiscard]] api::Rates total_rates() const;

  // Once every two seconds: rates (IPVS's estimator), the defences, and removed servers that nobody needs any more.
  void tick();

 private:
  // Next hops have changed: what is made of their addresses follows.
  void follow_next_hops();

  // A command at work: the state to be, and the next hops that were acquired for it.
  struct Draft {
    WriterState state;
    std::vector<model::Address> hops;
  };

  explicit Writer(const Surroundings& surroundings);

  // Lets `change` work on a draft, stores it and makes the tables follow; or leaves everything as it was.
  Result<void> commit(const std::function<Result<void>(Draft&)>& change);
  void adopt_draft(Draft draft);

  Result<ProgrammedServer> place_server(Draft& draft, const SlotOwner& owner, u32 service,
                                        const model::RealServer& server, s32 last_weight);
  Result<void> reschedule(Draft& draft, const model::ServiceKey& key, ServiceProgram program,
                          schedulers::Change change);
  Result<void> install(Draft& draft, const model::ServiceKey& key, ServiceProgram program,
                       schedulers::Schedule schedule);
  static void remove_service(Draft& draft, const model::ServiceKey& key);

  // Desired settings, mark rules and local addresses into the tables.
  void write_settings() const;
  void write_mark_rules() const;
  void write_local_addresses() const;
  [[nodiscard]] HeldPlaces held_local_addresses() const;

  Result<void> save(const WriterState& state) const;
  [[nodiscard]] api::ServiceView view_of(const model::ServiceEntry& entry) const;
  void warn(const std::string& line) const;

  friend class Adoption;

  Surroundings around_;
  TableWriter table_writer_;
  WriterState state_;
};

}  // namespace penstock::control
