#include "bench/measure.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "bench/bpf_object.hpp"

namespace penstock::bench {
namespace {

void check(const PacketCase& which, const Director& director, const Totals& before, Verdict verdict) {
  const Totals after = director.totals();
  const Totals did{after.packets - before.packets, after.connections - before.connections};
  const Totals should{packets_counted(which), connections_made(which)};
  const Verdict wanted = is_forwarded(which) ? Verdict::transmit : Verdict::pass;
  // A pair of buckets may be full: about one insertion in a million is refused at half load (ADR-0003).
  const auto nearly = [](u64 seen, u64 wanted_count) {
    return seen <= wanted_count && wanted_count - seen <= wanted_count / 10'000;
  };
  if (nearly(did.packets, should.packets) && nearly(did.connections, should.connections) && verdict == wanted) return;
  give_up(fmt::format("{}: {}: of {} packets {} were counted and {} began a connection; expected {} and {}; verdict {}",
                      which.name, director.name(), which.packets, did.packets, did.connections, should.packets,
                      should.connections, static_cast<u32>(verdict)));
}

// A subject, and how far its packets are.
struct Running {
  Subject subject;
  std::vector<u8> frame;
  FlowPlan plan;
};

// Ends what a run began, so that each round finds the tables as the first one did.
void forget_begun(const Running& running, u64 first_turn) {
  const PacketCase& which = running.subject.which;
  if (connections_made(which) == 0 && which.traffic != Traffic::first_fragment) return;
  std::vector<FlowKey> keys;
  for (u64 turn = first_turn; turn < running.plan.turn; ++turn)
    std::ranges::copy(keys_begun(which, flow_of_turn(running.plan, turn)), std::back_inserter(keys));
  running.subject.director->forget(keys);
}

double run_once(Driver& driver, Running& running) {
  const PacketCase& which = running.subject.which;
  Director& director = *running.subject.director;
  driver.plan() = running.plan;
  const double empty = driver.run(driver.empty_program(), running.frame, which.packets).ns_per_packet;
  const Totals before = director.totals();
  const u64 first_turn = driver.plan().turn;
  const RunResult run = driver.run(director.program(), running.frame, which.packets);
  running.plan = driver.plan();
  check(which, director, before, run.verdict);
  forget_begun(running, first_turn);
  return run.ns_per_packet - empty;
}

Quartiles quartiles(std::vector<double> values) {
  std::ranges::sort(values);
  const auto at = [&](std::size_t quarters) { return values[(values.size() - 1) * quarters / 4]; };
  return {at(1), at(2), at(3)};
}

// The first fragments of all datagrams that are to follow.
void send_first_fragments(Driver& driver, const Subject& subject) {
  PacketCase firsts = subject.which;
  firsts.traffic = Traffic::first_fragment;
  driver.plan() = plan_of(firsts);
  (void)driver.run(subject.director->program(), frame_of(firsts), driver.plan().mask + 1);
}

void prepare(Driver& driver, std::span<const Subject> subjects) {
  std::set<const Director*> prepared;
  for (const Subject& subject : subjects) {
    if (!prepared.insert(subject.director).second) continue;
    subject.director->serve(subject.which.cluster);
    subject.director->establish(prepared_flows(subject.which), subject.which.connections);
    if (subject.which.traffic == Traffic::later_fragment) send_first_fragments(driver, subject);
  }
}

double median_difference(const std::vector<double>& from, const std::vector<double>& to) {
  std::vector<double> differences;
  std::ranges::transform(to, from, std::back_inserter(differences), std::minus<>());
  return quartiles(differences).median;
}

}  // namespace

std::vector<Measured> measure(Driver& driver, std::span<const Subject> subjects, u32 rounds) {
  prepare(driver, subjects);
  std::vector<Running> running;
  for (const Subject& subject : subjects) running.push_back({subject, frame_of(subject.which), plan_of(subject.which)});
  std::vector<std::vector<double>> nets(subjects.size());
  for (Running& one : running) (void)run_once(driver, one);  // warms up
  for (u32 round = 0; round < rounds; ++round)
    for (std::size_t i = 0; i < running.size(); ++i) nets[i].push_back(run_once(driver, running[i]));
  std::vector<Measured> results;
  for (const auto& net : nets) results.push_back({quartiles(net), median_difference(nets.front(), net)});
  return results;
}

double measure_once(Driver& driver, const Director& director, const PacketCase& which, u32 packets) {
  const std::vector<u8> frame = frame_of(which);
  driver.plan() = plan_of(which);
  const double empty = driver.run(driver.empty_program(), frame, packets).ns_per_packet;
  driver.plan() = plan_of(which);
  return driver.run(director.program(), frame, packets).ns_per_packet - empty;
}

}  // namespace penstock::bench
