// The native and the BPF build of the packet path get the same frames, and must do the same with them: verdict, bytes, and every
// byte of their tables. PENSTOCK_SEED and PENSTOCK_PACKETS choose other frames, or more of them.
#include <gtest/gtest.h>
#include <sched.h>

#include <cstdlib>
#include <optional>

#include "datapath/core/balance.hpp"
#include "datapath/native/native_platform.hpp"
#include "datapath/native/native_tables.hpp"
#include "tests/differential/bpf_machine.hpp"
#include "tests/differential/generator.hpp"
#include "tests/packets/director.hpp"
#include "tests/packets/inventory.hpp"

namespace penstock::differential {
namespace {

using packets::Mac;

constexpr u32 servers = 8;

u64 number_from_environment(const char* name, u64 otherwise) {
  const char* text = std::getenv(name);
  return text ? std::strtoull(text, nullptr, 0) : otherwise;
}

// Small enough to be compared after every packet, and to be full now and then.
Config small_tables(u32 cpus) {
  Config config = small_config();
  config.connection_buckets = 64;
  config.half_open_buckets = 4;
  config.service_buckets = 8;
  config.servers_max = servers;
  config.next_hops_max = 8;
  config.schedule_cells = 4096;
  config.cpus = cpus;
  return config;
}

// Connections live for a few ticks, so that the test sees them expire.
void set_up(const Tables& tables) {
  packets::Director director(tables);
  director.set_defaults(64);
  for (u32& timeout : tables.settings->tcp_timeout) timeout = 24;
  tables.settings->tcp_timeout[static_cast<u32>(TcpState::established)] = 60;
  tables.settings->tcp_timeout[static_cast<u32>(TcpState::close)] = 3;
  tables.settings->udp_timeout = 12;

  Interface& ingress = tables.interfaces[test_run_ingress];
  ingress.known = 1;
  std::copy(director_mac.begin(), director_mac.end(), ingress.address);

  const u32 same_link = director.add_next_hop({director_mac, {2, 0, 0, 0, 0, 0x11}, test_run_ingress});
  const u32 other_link = director.add_next_hop({director_mac, {2, 0, 0, 0, 0, 0x22}, 2});
  const u32 nobody = director.add_next_hop({{}, {}, 2, 1500, NextHopState::unresolved});
  const u32 narrow = director.add_next_hop({director_mac, {2, 0, 0, 0, 0, 0x33}, 2, 600});
  const u32 rs[] = {director.add_server("10.0.0.1", same_link), director.add_server("10.0.0.2", other_link),
                    director.add_server("10.0.0.3", same_link)};
  const u32 absent = director.add_server("10.0.0.4", nobody);
  const u32 far = director.add_server("10.0.0.5", narrow);
  for (const char* vip : {"192.0.2.1", "192.0.2.2", "fd00:1::1", "fd00:1::2"}) {
    director.add_service({vip, port::web, 6}, {rs[0], rs[1], rs[0], rs[2]});
    director.add_service({vip, port::dns, 17}, {rs[0], rs[1], rs[2]});
    director.add_service({vip, port::quiesced, 6}, {});
    director.add_service({vip, port::quiesced, 17}, {});
    director.add_service({vip, port::unresolved, 6}, {absent});
    director.add_service({vip, port::narrow, 17}, {far});
    director.add_service({vip, port::missing, 6}, {servers});
  }
}

// What operators do, done to both directors alike.
struct Happening {
  u32 what;
  u32 slot;
  u32 value;
};

void happen(const Tables& tables, const Happening& happening) {
  ServerRoute& route = tables.servers[happening.slot].route;
  switch (happening.what) {
    case 0:
      route.available ^= 1;
      break;
    case 1:
      route.generation += 1;
      break;
    case 2:
      tables.settings->conn_reuse_mode = happening.value % 4;
      break;
    case 3:
      tables.settings->sloppy_tcp ^= 1;
      break;
    case 4:
      tables.settings->udp_timeout = 1 + happening.value % 40;
      break;
    case 5:
      tables.interfaces[test_run_ingress].mode = happening.value % 4 ? XdpMode::native : XdpMode::generic;
      break;
    case 6:
      tables.next_hops[1].state = happening.value % 4 ? NextHopState::resolved : NextHopState::unresolved;
      break;
    case 7:
      tables.interfaces[test_run_ingress].known = happening.value % 4 ? 1 : 0;
      break;
  }
}

struct Region {
  const char* name;
  std::span<u8> bpf;
  std::span<u8> native;
};

template <typename Row>
Region region(const char* name, std::span<Row> bpf, std::span<Row> native) {
  const auto bytes = [](std::span<Row> rows) {
    return std::span(reinterpret_cast<u8*>(rows.data()), rows.size_bytes());
  };
  return {name, bytes(bpf), bytes(native)};
}

// Everything that the packet path writes.
std::vector<Region> written_regions(const Tables& bpf, const Tables& native) {
  return {region("connections", bpf.connections, native.connections),
          region("connection tags", bpf.connection_tags, native.connection_tags),
          region("half-open connections", bpf.half_open, native.half_open),
          region("half-open tags", bpf.half_open_tags, native.half_open_tags),
          region("loads", bpf.loads, native.loads),
          region("counters", bpf.counters, native.counters),
          region("schedules", bpf.schedules, native.schedules),
          region("reasons", bpf.reasons, native.reasons)};
}

// The name of the first table that differs, and where.
std::optional<std::string> difference(const std::vector<Region>& regions) {
  for (const Region& region : regions) {
    if (std::memcmp(region.bpf.data(), region.native.data(), region.bpf.size()) == 0) continue;
    const auto at =
        std::mismatch(region.bpf.begin(), region.bpf.end(), region.native.begin()).first - region.bpf.begin();
    return std::string(region.name) + " differ at byte " + std::to_string(at);
  }
  return std::nullopt;
}

std::string hex(const Bytes& bytes) {
  static constexpr char digits[] = "0123456789abcdef";
  std::string text;
  for (const u8 byte : bytes) text += {digits[byte >> 4], digits[byte & 15]};
  return text;
}

u32 stay_on_this_cpu() {
  const int cpu = sched_getcpu();
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(static_cast<std::size_t>(cpu), &set);
  EXPECT_EQ(sched_setaffinity(0, sizeof set, &set), 0);
  return static_cast<u32>(cpu);
}

class Differential : public ::testing::Test {
 protected:
  void SetUp() override {
    const auto cpus = control::counter_rows();
    ASSERT_TRUE(cpus) << cpus.error().message;
    config_ = small_tables(*cpus);
    auto machine = BpfMachine::load(config_);
    if (!machine && machine.error().code == ErrorCode::permission_denied)
      GTEST_SKIP() << "skipped: BPF programs can't be loaded here: " << machine.error().message;
    ASSERT_TRUE(machine) << machine.error().message;
    bpf_.emplace(std::move(*machine));
    native_.emplace(config_);
    cpu_ = stay_on_this_cpu();
    set_up(bpf_->tables());
    set_up(native_->view());
    regions_ = written_regions(bpf_->tables(), native_->view());
    ASSERT_EQ(difference(regions_), std::nullopt);
    tick_ = *bpf_->ticks();
  }

  RunResult run_native(const Bytes& frame, u32 now) {
    FrameBuffer buffer(frame);
    NativePlatform platform(native_->view(), buffer, now, test_run_ingress, cpu_);
    const Verdict verdict = balance(platform);
    const auto left = buffer.frame();
    return {verdict, {left.begin(), left.end()}};
  }

  // Jiffies may have gone on while the program ran. Then nobody knows its `now`, and native takes over what BPF left behind.
  void compare(const Bytes& frame) {
    const u32 before = tick_;
    const auto bpf = bpf_->run(frame);
    ASSERT_TRUE(bpf) << bpf.error().message;
    tick_ = *bpf_->ticks();
    if (tick_ != before) {
      ++between_ticks_;
      for (const Region& region : regions_) std::copy(region.bpf.begin(), region.bpf.end(), region.native.begin());
      return;
    }
    const RunResult native = run_native(frame, before);
    ASSERT_EQ(native.verdict, bpf->verdict) << hex(frame);
    // What a dropped frame holds is nobody's concern: an error that could not be finished may be in it.
    if (native.verdict != Verdict::drop) {
      ASSERT_TRUE(native.frame == bpf->frame)
          << hex(frame) << "\nnative " << hex(native.frame) << "\nbpf    " << hex(bpf->frame);
    }
    ASSERT_EQ(difference(regions_), std::nullopt) << hex(frame);
    ++verdicts_[static_cast<u32>(native.verdict)];
  }

  void happen_to_both(Generator& generator) {
    const Happening happening{generator.below(8), generator.below(3), generator.below(1000)};
    happen(bpf_->tables(), happening);
    happen(native_->view(), happening);
  }

  Config config_{};
  std::optional<BpfMachine> bpf_;
  std::optional<NativeTables> native_;
  std::vector<Region> regions_;
  u32 cpu_ = 0;
  u32 tick_ = 0;
  u64 between_ticks_ = 0;
  u64 verdicts_[5] = {};
};

TEST_F(Differential, both_builds_do_the_same_with_a_million_frames) {
  const u64 seed = number_from_environment("PENSTOCK_SEED", 1);
  const u64 count = number_from_environment("PENSTOCK_PACKETS", 1'000'000);
  std::printf("PENSTOCK_SEED=%llu PENSTOCK_PACKETS=%llu\n", static_cast<unsigned long long>(seed),
              static_cast<unsigned long long>(count));
  Generator generator(seed);
  for (u64 i = 0; i < count; ++i) {
    if (generator.one_in(500)) happen_to_both(generator);
    compare(generator.next());
    ASSERT_FALSE(HasFatalFailure()) << "packet " << i << " of seed " << seed;
  }
  packets::expect_loads_to_match(native_->view());
  packets::expect_tags_to_match(native_->view());

  std::printf("dropped %llu, passed %llu, sent back %llu, redirected %llu; %llu not compared: between two ticks\n",
              static_cast<unsigned long long>(verdicts_[1]), static_cast<unsigned long long>(verdicts_[2]),
              static_cast<unsigned long long>(verdicts_[3]), static_cast<unsigned long long>(verdicts_[4]),
              static_cast<unsigned long long>(between_ticks_));
  for (u32 reason = 0; reason < reasons; ++reason) {
    if (reason == static_cast<u32>(Reason::no_room_for_reply)) continue;  // there always is, in a test run
    EXPECT_GT(native_->view().reasons[cpu_].packets[reason], 0U) << "no frame met reason " << reason;
  }
  EXPECT_LT(between_ticks_, count / 20 + 10);
  EXPECT_EQ(verdicts_[static_cast<u32>(Verdict::aborted)], 0U);
  for (u32 verdict = 1; verdict <= 4; ++verdict) EXPECT_GT(verdicts_[verdict], count / 50) << "verdict " << verdict;
}

}  // namespace
}  // namespace penstock::differential
