#include "control/reconciler.hpp"

#include <cstring>
#include <type_traits>
#include <unordered_map>

namespace penstock::control {
namespace {

bool is_same(const RealServer& a, const RealServer& b) {
  static_assert(std::has_unique_object_representations_v<RealServer>);
  return std::memcmp(&a, &b, sizeof a) == 0;
}

const ServiceProgram* find(const Programs& programs, const model::ServiceKey& key) {
  const auto at = programs.find(key);
  return at == programs.end() ? nullptr : at->second.get();
}

using Rows = std::unordered_map<u32, const ProgrammedServer*>;

Rows rows_of(const ServiceProgram* program) {
  Rows rows;
  if (program)
    for (const ProgrammedServer& server : program->servers) rows[server.slot] = &server;
  return rows;
}

void program_service(const model::ServiceKey& key, const ServiceProgram& want, const ServiceProgram* have,
                     std::vector<Step>& steps) {
  const Rows rows = rows_of(have);
  for (const ProgrammedServer& server : want.servers) {
    const auto row = rows.find(server.slot);
    const bool stands =
        row != rows.end() && is_same(row->second->row, server.row) && row->second->terms == server.terms;
    if (!stands) steps.push_back(WriteServer{server.slot, server.row, server.terms});
  }
  const bool same_region = have && control::is_same(have->region, want.region);
  if (same_region && have->terms == want.terms) return;
  if (!same_region && want.region.size > 0) steps.push_back(WriteSchedule{want.region, want.head, picked_slots(want)});
  steps.push_back(PublishService{key, want.id, want.terms, want.region});
}

void withdraw(const ServiceProgram* want, const ServiceProgram& have, std::vector<Step>& steps) {
  const Rows rows = rows_of(want);
  for (const ProgrammedServer& server : have.servers)
    if (!rows.contains(server.slot)) steps.push_back(WithdrawServer{server.slot});
}

}  // namespace

std::vector<u32> picked_slots(const ServiceProgram& program) {
  std::vector<u32> slots;
  slots.reserve(program.schedule.picks.size());
  for (const u32 position : program.schedule.picks) slots.push_back(program.servers[position].slot);
  return slots;
}

std::vector<Step> plan(const Programs& want, const Programs& have) {
  std::vector<Step> steps;
  for (const auto& [key, program] : want) {
    const ServiceProgram* before = find(have, key);
    if (before != program.get()) program_service(key, *program, before, steps);
  }
  for (const auto& [key, program] : have) {
    const ServiceProgram* after = find(want, key);
    if (after == program.get()) continue;
    if (!after) steps.push_back(RemoveService{key});
    withdraw(after, *program, steps);
  }
  return steps;
}

}  // namespace penstock::control
