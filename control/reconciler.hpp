// What must be written to the tables to get from one state of them to another. Pure: the table writer does it.
//
// The order is the invariant: what a service record points to is complete before the record does, and
// nothing is withdrawn while a record still leads to it.
#pragma once

#include <map>
#include <memory>
#include <variant>
#include <vector>

#include "datapath/abi/server.hpp"
#include "datapath/abi/service.hpp"
#include "model/service.hpp"
#include "schedulers/schedule.hpp"

namespace penstock::control {

// What schedulers ask of a server, beside its load.
struct ServerTerms {
  s32 weight = 0;
  s32 last_weight = 0;  // the last one that was not 0 (IPVS: mh)
  u32 upper_threshold = 0;
  u32 lower_threshold = 0;

  friend bool operator==(const ServerTerms&, const ServerTerms&) = default;
};

struct ProgrammedServer {
  u32 slot = 0;
  RealServer row{};
  ServerTerms terms{};
};

// What a service's record says beside its schedule.
struct ServiceTerms {
  u32 flags = 0;  // abi/service.hpp: service_*
  u32 persistence_ticks = 0;
  u32 netmask = 0;  // as in the record

  friend bool operator==(const ServiceTerms&, const ServiceTerms&) = default;
};

// What the tables hold for one service.
struct ServiceProgram {
  u32 id = 0;
  ServiceTerms terms{};
  ScheduleHead head{};
  std::vector<ProgrammedServer> servers;  // newest first
  schedulers::Schedule schedule;          // positions in `servers`
  ScheduleRef region{};                   // where the schedule stands; another schedule stands in another region
};

// Shared because programs never change once made: the states before and after a command hold the same ones but for a few.
using Programs = std::map<model::ServiceKey, std::shared_ptr<const ServiceProgram>>;

struct WriteServer {
  u32 slot;
  RealServer row;
  ServerTerms terms;
};
struct WriteSchedule {
  ScheduleRef region;
  ScheduleHead head;
  std::vector<u32> slots;
};
// Makes the record or points it to another schedule: the flip.
struct PublishService {
  model::ServiceKey key;
  u32 id;
  ServiceTerms terms;
  ScheduleRef schedule;
};
struct RemoveService {
  model::ServiceKey key;
};
// Its connections match no longer; address and generation stay for when it comes back.
struct WithdrawServer {
  u32 slot;
};

using Step = std::variant<WriteServer, WriteSchedule, PublishService, RemoveService, WithdrawServer>;

[[nodiscard]] constexpr bool is_same(const ScheduleRef& a, const ScheduleRef& b) {
  return a.offset == b.offset && a.size == b.size;
}

// What the schedule's cells hold: the slot of each pick.
[[nodiscard]] std::vector<u32> picked_slots(const ServiceProgram& program);

[[nodiscard]] std::vector<Step> plan(const Programs& want, const Programs& have);

}  // namespace penstock::control
