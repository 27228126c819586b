// Both CPUs run the loaded program at once, over the same flows, while user space sweeps the same memory. Afterwards nothing may
// be lost, doubled or miscounted: what datapath/core/table_threads_test.cpp asks of the native build.
#include <gtest/gtest.h>
#include <sched.h>

#include <atomic>
#include <optional>
#include <random>
#include <thread>

#include "control/kernel_clock.hpp"
#include "control/sweeper.hpp"
#include "datapath/native/native_tables.hpp"
#include "tests/differential/bpf_machine.hpp"
#include "tests/packets/director.hpp"
#include "tests/packets/frame.hpp"
#include "tests/packets/inventory.hpp"

namespace penstock {
namespace {

using namespace packets;
using differential::BpfMachine;

constexpr Mac client_mac{2, 0, 0, 0, 0, 0xc1};
constexpr Mac director_mac{2, 0, 0, 0, 0, 0xd0};
constexpr u32 packets_per_cpu = 400'000;
constexpr u16 web = 80;            // tcp: flows of all CPUs, which expire all the time
constexpr u16 dns = 53;            // udp: the same
constexpr u16 private_port = 443;  // tcp: each CPU's own, established, which never expire
constexpr u32 private_flows = 16;
constexpr u32 private_server = 3;

std::vector<u32> usable_cpus() {
  cpu_set_t set;
  CPU_ZERO(&set);
  std::vector<u32> cpus;
  if (sched_getaffinity(0, sizeof set, &set) != 0) return cpus;
  for (u32 cpu = 0; cpu < CPU_SETSIZE; ++cpu) {
    if (CPU_ISSET(cpu, &set)) cpus.push_back(cpu);
  }
  return cpus;
}

bool move_to(u32 cpu) {
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(cpu, &set);
  return sched_setaffinity(0, sizeof set, &set) == 0;
}

Frame from_client() { return eth(client_mac, director_mac).ipv4("198.51.100.7", "192.0.2.1"); }

// Frames are made before the race, not in it.
class Traffic {
 public:
  Traffic(u32 shared_flows, u32 worker) : random_(worker) {
    for (u16 flow = 10000; flow < 10000 + shared_flows; ++flow) {
      for (const u8 flags : {syn, ack, static_cast<u8>(fin | ack), rst}) {
        shared_.push_back(from_client().tcp(flow, web, flags));
      }
      shared_.push_back(from_client().udp(flow, dns));
      shared_.push_back(
          eth({2, 0, 0, 0, 0, 0x11}, director_mac).ipv4("10.0.0.11", "198.51.100.7").tcp(web, flow, syn | ack));
    }
    for (u32 flow = 0; flow < private_flows; ++flow) {
      const u16 from = static_cast<u16>((worker + 1) * 1000 + flow);
      private_.push_back(from_client().tcp(from, private_port, ack));
      opening_.push_back(from_client().tcp(from, private_port, syn));
      opening_.push_back(private_.back());
    }
  }

  const std::vector<Bytes>& opening() const { return opening_; }
  const Bytes& next() {
    const auto& from = random_() % 8 == 0 ? private_ : shared_;
    return from[random_() % from.size()];
  }

 private:
  std::mt19937 random_;
  std::vector<Bytes> shared_;
  std::vector<Bytes> opening_;
  std::vector<Bytes> private_;
};

class BothCpus : public ::testing::Test {
 protected:
  void start(u32 buckets, Method method = Method::direct) {
    cpus_ = usable_cpus();
    if (cpus_.size() < 2) GTEST_SKIP() << "skipped: needs two CPUs, has " << cpus_.size();
    cpus_.resize(2);
    const auto possible = control::counter_rows();
    ASSERT_TRUE(possible) << possible.error().message;
    Config config = small_config();
    config.connection_buckets = buckets;
    config.servers_max = 4;
    config.cpus = *possible;
    auto machine = BpfMachine::load(config);
    if (!machine && machine.error().code == ErrorCode::permission_denied)
      GTEST_SKIP() << "skipped: BPF programs can't be loaded here: " << machine.error().message;
    ASSERT_TRUE(machine) << machine.error().message;
    bpf_.emplace(std::move(*machine));
    auto clock = control::KernelClock::start(bpf_->program().programs.clock.fd());
    ASSERT_TRUE(clock) << clock.error().message;
    clock_.emplace(*clock);
    set_up(bpf_->tables(), method);
  }

  // A tick is 1 to 10 ms: connections live for a handful of them.
  static void set_up(const Tables& tables, Method method) {
    Director director(tables);
    director.set_defaults(8);
    Settings& settings = *tables.settings;
    for (u32& timeout : machine_of(settings, Machine::tcp).timeout) timeout = 3;
    machine_of(settings, Machine::tcp).timeout[static_cast<u32>(TcpState::close)] = 1;
    machine_of(settings, Machine::tcp).timeout[static_cast<u32>(TcpState::established)] = 1'000'000'000;
    machine_of(settings, Machine::udp).timeout[0] = 2;
    settings.conn_reuse_mode = 3;
    const u32 hop = director.add_next_hop({director_mac, {2, 0, 0, 0, 0, 0x11}, differential::test_run_ingress});
    director.add_link({.index = differential::test_run_ingress, .address = director_mac});
    director.add_local_address("10.0.0.1");
    const u32 rs1 = director.add_server(Server{.address = "10.0.0.11", .next_hop = hop, .method = method});
    const u32 rs2 = director.add_server(Server{.address = "10.0.0.22", .next_hop = hop, .method = method});
    const u32 rs3 = director.add_server("10.0.0.33", hop);
    ASSERT_EQ(rs3, private_server);
    director.add_service({"192.0.2.1", web, 6}, {rs1, rs2});
    director.add_service({"192.0.2.1", dns, 17}, {rs1, rs2});
    director.add_service({"192.0.2.1", private_port, 6}, {rs3});
  }

  void run(u32 shared_flows) {
    std::vector<std::thread> threads;
    std::atomic<u32> running = static_cast<u32>(cpus_.size());
    std::vector<Traffic> traffic;
    for (u32 worker = 0; worker < cpus_.size(); ++worker) traffic.emplace_back(shared_flows, worker);
    for (const Traffic& of_worker : traffic) open_private_flows(of_worker);  // in peace: a flood may well push them out
    for (u32 worker = 0; worker < cpus_.size(); ++worker) {
      threads.emplace_back([this, worker, &traffic, &running] {
        work(worker, traffic[worker]);
        --running;
      });
    }
    control::Sweeper sweeper(bpf_->tables(), *clock_);
    while (running.load() > 0) swept_ += sweeper.sweep(whole_walk()).ended;
    for (std::thread& thread : threads) thread.join();
  }

  void open_private_flows(const Traffic& traffic) {
    for (const Bytes& frame : traffic.opening()) send(frame);
  }

  void work(u32 worker, Traffic& traffic) {
    if (!move_to(cpus_[worker])) ++failures_;
    for (u32 i = 0; i < packets_per_cpu; ++i) send(traffic.next());
  }

  void send(const Bytes& frame) {
    const auto result = bpf_->run(frame);
    if (!result || result->verdict == Verdict::aborted) ++failures_;
  }

  void expect_order() {
    const Tables& tables = bpf_->tables();
    EXPECT_EQ(failures_, 0U);
    EXPECT_GT(swept_, 0U);
    EXPECT_EQ(duplicates(tables, clock_->ticks()), 0U);
    expect_loads_to_match(tables);
    expect_tags_to_match(tables);
    EXPECT_EQ(counted(Reason::bug), 0U);
    u64 connections = 0;
    for (u32 cpu = 0; cpu < tables.config.cpus; ++cpu) {
      connections += tables.counters[private_server * tables.config.cpus + cpu].connections;
    }
    EXPECT_EQ(connections, cpus_.size() * private_flows) << "a connection was lost and made anew";
    EXPECT_EQ(tables.loads[private_server].active, static_cast<s32>(cpus_.size() * private_flows));
  }

  u64 counted(Reason reason) const {
    u64 sum = 0;
    for (const ReasonCounters& counters : bpf_->tables().reasons) sum += counters.packets[static_cast<u32>(reason)];
    return sum;
  }

  // When everything that may expire has expired and was swept, only what never expires is left.
  void expect_only_private_flows_to_remain() {
    for (u32& timeout : machine_of(*bpf_->tables().settings, Machine::tcp).timeout) timeout = 0;
    control::Sweeper sweeper(bpf_->tables(), *clock_);
    const auto deadline = clock_->steady() + std::chrono::seconds(10);
    while (remaining_shared() > 0 && clock_->steady() < deadline) sweeper.sweep(whole_walk());
    EXPECT_EQ(remaining_shared(), 0U);
    expect_loads_to_match(bpf_->tables());
    expect_tags_to_match(bpf_->tables());
  }

  u64 remaining_shared() const {
    u64 count = 0;
    for (const Record& record : all_records(bpf_->tables())) {
      const bool never_expires = (record.connection.word >> 32 & 0xf) == static_cast<u64>(TcpState::established);
      count += never_expires ? 0 : 1;
    }
    return count;
  }

  u64 whole_walk() const { return bpf_->tables().connections.size(); }

  std::vector<u32> cpus_;
  std::optional<BpfMachine> bpf_;
  std::optional<control::KernelClock> clock_;
  u64 swept_ = 0;
  std::atomic<u64> failures_ = 0;
};

TEST_F(BothCpus, many_flows_at_once_are_neither_lost_nor_doubled_nor_miscounted) {
  start(64);
  if (IsSkipped() || HasFatalFailure()) return;
  run(100);
  expect_order();
  EXPECT_LE(counted(Reason::connection_table_full), 2 * packets_per_cpu / 100'000)
      << "refused: more than contention explains";
  expect_only_private_flows_to_remain();
}

TEST_F(BothCpus, one_flow_that_both_want_stands_once) {
  start(64);
  if (IsSkipped() || HasFatalFailure()) return;
  run(1);
  expect_order();
  expect_only_private_flows_to_remain();
}

TEST_F(BothCpus, nat_keeps_requests_and_replies_in_order) {
  start(64, Method::nat);
  if (IsSkipped() || HasFatalFailure()) return;
  run(50);
  expect_order();
  expect_only_private_flows_to_remain();
}

TEST_F(BothCpus, fullnat_keeps_requests_and_replies_in_order) {
  start(64, Method::fullnat);
  if (IsSkipped() || HasFatalFailure()) return;
  run(50);
  expect_order();
  expect_only_private_flows_to_remain();
}

// Small enough to be full all the time.
TEST_F(BothCpus, a_full_table_leaves_the_counts_true) {
  start(16);
  if (IsSkipped() || HasFatalFailure()) return;
  run(400);
  expect_order();
  expect_only_private_flows_to_remain();
}

}  // namespace
}  // namespace penstock
