// Several threads take packets through the packet path at once, over the same and over their own flows, while a sweeper ends
// what expires. Afterwards nothing may be lost, doubled or miscounted. Built with PENSTOCK_SANITIZE=thread it also judges every
// access to the tables.
#include <gtest/gtest.h>

#include <atomic>
#include <bit>
#include <random>
#include <thread>

#include "datapath/core/balance.hpp"
#include "datapath/native/native_platform.hpp"
#include "datapath/native/native_tables.hpp"
#include "tests/packets/director.hpp"
#include "tests/packets/frame.hpp"
#include "tests/packets/inventory.hpp"

namespace penstock {
namespace {

using namespace packets;

constexpr Mac client_mac{2, 0, 0, 0, 0, 0xc1};
constexpr Mac director_mac{2, 0, 0, 0, 0, 0xd0};
constexpr Mac rs_mac{2, 0, 0, 0, 0, 0x11};
constexpr u32 workers = 4;
constexpr u16 web = 80;           // tcp: flows of all threads
constexpr u16 dns = 53;           // udp: flows of all threads
constexpr u16 private_port = 54;  // udp: each thread's own
constexpr u32 private_flows = 16;
constexpr u32 private_server = 3;

#if defined(__SANITIZE_THREAD__)
constexpr u32 packets_per_worker = 20'000;
#else
constexpr u32 packets_per_worker = 200'000;
#endif

Frame from_client() { return eth(client_mac, director_mac).ipv4("198.51.100.7", "192.0.2.1"); }

class Traffic {
 public:
  Traffic(u32 shared_flows, u32 buckets, Method method = Method::direct)
      : tables_(config(buckets)), shared_flows_(shared_flows) {
    Director director(tables_.view());
    director.set_defaults(8);
    Settings& settings = *tables_.view().settings;
    for (u32& timeout : machine_of(settings, Machine::tcp).timeout) timeout = 30;
    machine_of(settings, Machine::tcp).timeout[static_cast<u32>(TcpState::close)] = 3;
    machine_of(settings, Machine::udp).timeout[0] = 1'000'000'000;  // what a thread has to itself never expires
    settings.conn_reuse_mode = 3;
    director.add_link({.index = 1, .address = director_mac});
    director.add_local_address("10.0.0.1");
    const u32 hop = director.add_next_hop({director_mac, rs_mac, 1});
    const u32 rs1 = director.add_server(Server{.address = "10.0.0.11", .next_hop = hop, .method = method});
    const u32 rs2 = director.add_server(Server{.address = "10.0.0.22", .next_hop = hop, .method = method});
    const u32 rs3 = director.add_server("10.0.0.33", hop);
    director.add_service({"192.0.2.1", web, 6}, {rs1, rs2});
    director.add_service({"192.0.2.1", dns, 17}, {rs1, rs2});
    director.add_service({"192.0.2.1", private_port, 17}, {rs3});
    EXPECT_EQ(rs3, private_server);
  }

  void run() {
    std::vector<std::thread> threads;
    std::atomic<u32> running = workers;
    for (u32 worker = 0; worker < workers; ++worker) {
      threads.emplace_back([this, worker, &running] {
        work(worker);
        --running;
      });
    }
    while (running.load() > 0) {
      sweep();
      ++clock_;
    }
    for (std::thread& thread : threads) thread.join();
  }

  void expect_order() {
    EXPECT_EQ(duplicates(tables_.view(), clock_), 0U);
    expect_loads_to_match(tables_.view());
    expect_tags_to_match(tables_.view());
    EXPECT_EQ(counted(Reason::bug), 0U);
    EXPECT_EQ(tables_.view().loads[private_server].inactive, static_cast<s32>(workers * private_flows));
    u64 connections = 0;
    for (u32 cpu = 0; cpu < workers; ++cpu) {
      connections += tables_.view().counters[private_server * (workers + 1) + cpu].connections;
    }
    EXPECT_EQ(connections, workers * private_flows) << "a connection was lost and made anew";
  }

  u64 counted(Reason reason) {
    u64 sum = 0;
    for (const ReasonCounters& counters : tables_.view().reasons) sum += counters.packets[static_cast<u32>(reason)];
    return sum;
  }

 private:
  static Config config(u32 buckets) {
    Config config = small_config();
    config.connection_buckets = buckets;
    config.servers_max = 4;
    config.cpus = workers + 1;  // one for the sweeper
    return config;
  }

  void work(u32 worker) {
    static constexpr u8 flags[] = {syn, syn, ack, ack, ack, fin | ack, rst};
    std::mt19937 random(worker);
    for (u32 i = 0; i < packets_per_worker; ++i) {
      const u16 flow = static_cast<u16>(10000 + random() % shared_flows_);
      switch (random() % 8) {
        case 0:
          send(worker, from_client().udp(static_cast<u16>(worker * 1000 + random() % private_flows), private_port));
          break;
        case 1:
          send(worker, from_client().udp(flow, dns));
          break;
        case 2:
          send(worker, eth(rs_mac, director_mac).ipv4("10.0.0.11", "198.51.100.7").tcp(web, flow, syn | ack));
          break;
        default:
          send(worker, from_client().tcp(flow, web, flags[random() % std::size(flags)]));
      }
    }
  }

  void send(u32 worker, const Frame& frame) {
    const Bytes bytes = frame.bytes();
    FrameBuffer buffer(bytes);
    NativePlatform platform(tables_.view(), buffer, clock_.load(), 1, worker);
    (void)balance(platform);
  }

  // As the daemon's sweeper does: a reply's time is its request's, and it ends with it.
  void sweep() {
    const u32 now = clock_;
    FrameBuffer none({});
    NativePlatform platform(tables_.view(), none, now, 0, workers);
    const TableView<Connection> table = tables_.view().connection_table();
    for (u32 bucket = 0; bucket < table.buckets.size(); ++bucket) {
      for (u32 index = 0; index < records_per_bucket; ++index) {
        Connection& record = table.buckets[bucket].records[index];
        u64 word = load_acquire(&record.word);
        if (is_live(word) && load_acquire(&record.key.role) == Role::reply) {
          const Flow reply = flow_of({&record, word, bucket, index});
          const Flow request = reply.found.record ? find_request(platform, reply, Guess::present) : no_flow;
          if (request.found.record)
            compare_exchange(&record.word, word,
                             with_state(word, state_of(request.found.word), expires_of(request.found.word)));
          word = load_acquire(&record.word);
        }
        if (!is_over(&record, word, now)) continue;
        end_record(table, Found<Connection>{&record, word, bucket, index}, now,
                   [&platform](const Connection& ended, u64 last) { account_for_end(platform, ended, last); });
        end_replies(platform, *platform.work());
      }
    }
  }

  NativeTables tables_;
  u32 shared_flows_;
  std::atomic<u32> clock_ = 0xfffffff0;
};

TEST(TableThreads, many_flows_at_once_are_neither_lost_nor_doubled_nor_miscounted) {
  Traffic traffic(100, 64);
  traffic.run();
  traffic.expect_order();
  EXPECT_EQ(traffic.counted(Reason::connection_table_full), 0U);
}

TEST(TableThreads, one_flow_that_all_threads_want_stands_once) {
  Traffic traffic(1, 64);
  traffic.run();
  traffic.expect_order();
  EXPECT_EQ(traffic.counted(Reason::connection_table_full), 0U);
}

// What is contended may be refused, but must not be miscounted.
TEST(TableThreads, nat_keeps_requests_and_replies_in_order) {
  Traffic traffic(100, 64, Method::nat);
  traffic.run();
  traffic.expect_order();
}

TEST(TableThreads, fullnat_keeps_requests_and_replies_in_order) {
  Traffic traffic(100, 64, Method::fullnat);
  traffic.run();
  traffic.expect_order();
}

}  // namespace
}  // namespace penstock
