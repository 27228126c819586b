#include "bench/measure.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "bench/cluster.hpp"

namespace penstock::bench {
namespace {

void check(const PacketCase& which, const Director& director, const Totals& before, Verdict verdict) {
  const Totals after = director.totals();
  const Totals did{after.packets - before.packets, after.connections - before.connections};
  const Totals should{is_forwarded(which) ? which.packets : 0, connections_made(which, which.packets)};
  const Verdict wanted = is_forwarded(which) ? Verdict::transmit : Verdict::pass;
  // A pair of buckets may be full: about one insertion in a million is refused at half load (ADR-0003).
  const auto nearly = [](u64 seen, u64 wanted_count) {
    return seen <= wanted_count && wanted_count - seen <= wanted_count / 10'000;
  };
  if (nearly(did.packets, should.packets) && nearly(did.connections, should.connections) && verdict == wanted) return;
  give_up(
      fmt::format("{}: {}: of {} packets {} were forwarded and {} began a connection; expected {} and {}; verdict {}",
                  which.name, director.name(), which.packets, did.packets, did.connections, should.packets,
                  should.connections, static_cast<u32>(verdict)));
}

// Ends what a run began, so that each round finds the tables as the first one did.
void forget_begun(const PacketCase& which, Director& director, const FlowPlan& plan, u64 first_turn) {
  if (connections_made(which, which.packets) == 0) return;
  std::vector<FlowKey> keys;
  for (u64 turn = first_turn; turn < plan.turn; ++turn)
    keys.push_back(key_of_flow(flow_of_turn(plan, turn), which.family, which.protocol));
  director.forget(keys);
}

double run_once(Driver& driver, Director& director, const PacketCase& which, const std::vector<u8>& frame) {
  const double empty = driver.run(driver.empty_program(), frame, which.packets).ns_per_packet;
  const Totals before = director.totals();
  const u64 first_turn = driver.plan().turn;
  const RunResult run = driver.run(director.program(), frame, which.packets);
  check(which, director, before, run.verdict);
  forget_begun(which, director, driver.plan(), first_turn);
  return run.ns_per_packet - empty;
}

Quartiles quartiles(std::vector<double> values) {
  std::ranges::sort(values);
  const auto at = [&](std::size_t quarters) { return values[(values.size() - 1) * quarters / 4]; };
  return {at(1), at(2), at(3)};
}

}  // namespace

std::vector<Quartiles> measure(Driver& driver, const std::vector<std::unique_ptr<Director>>& directors,
                               const PacketCase& which, u32 rounds) {
  const std::vector<FlowKey> keys = prepared_keys(which);
  for (const auto& director : directors) {
    director->forget_all();
    director->establish(keys);
  }
  driver.plan() = plan_of(which);
  const std::vector<u8> frame = frame_of(which);
  std::vector<std::vector<double>> nets(directors.size());
  for (const auto& director : directors) (void)run_once(driver, *director, which, frame);  // warms up
  for (u32 round = 0; round < rounds; ++round)
    for (std::size_t i = 0; i < directors.size(); ++i) nets[i].push_back(run_once(driver, *directors[i], which, frame));
  std::vector<Quartiles> results;
  for (const auto& net : nets) results.push_back(quartiles(net));
  return results;
}

}  // namespace penstock::bench
