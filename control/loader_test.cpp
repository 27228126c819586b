// Needs the kernel: these tests load programs. Where that is not allowed they are skipped, and say so.
#include "control/loader.hpp"

#include <bpf/bpf.h>
#include <gtest/gtest.h>

#include <array>
#include <chrono>
#include <thread>

#include "control/kernel_clock.hpp"
#include "control/sizes.hpp"

namespace penstock::control {
namespace {

Config small() {
  const Sizes sizes{.connections_bytes = 64 * 512, .services_max = 16, .servers_max = 16, .schedule_cells = 64};
  Config config = *config_of(sizes, *counter_rows());
  config.hash_key[0] = 1;
  config.hash_key[1] = 2;
  return config;
}

class LoaderTest : public testing::Test {
 protected:
  void SetUp() override {
    auto loaded = load(small());
    if (!loaded && loaded.error().code == ErrorCode::permission_denied)
      GTEST_SKIP() << "skipped: BPF programs can't be loaded here: " << loaded.error().message;
    ASSERT_TRUE(loaded) << loaded.error().message;
    loaded_.emplace(std::move(*loaded));
  }

  int run(std::array<u8, 64> frame) {
    LIBBPF_OPTS(bpf_test_run_opts, options, .data_in = frame.data(), .data_size_in = frame.size());
    EXPECT_EQ(bpf_prog_test_run_opts(loaded_->program(), &options), 0);
    return static_cast<int>(options.retval);
  }

  std::optional<LoadedProgram> loaded_;
};

TEST_F(LoaderTest, mapped_tables_are_what_the_program_sees) {
  constexpr std::array<u8, 64> arp = {2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1, 0x08, 0x06};
  EXPECT_EQ(run(arp), XDP_PASS);
  u64 counted = 0;
  for (const ReasonCounters& row : loaded_->tables().reasons)
    counted += row.packets[static_cast<u32>(Reason::pass_not_ip)];
  EXPECT_EQ(counted, 1U);
}

TEST_F(LoaderTest, tables_have_the_sizes_of_the_config) {
  const Tables& tables = loaded_->tables();
  EXPECT_EQ(tables.connections.size(), 64U);
  EXPECT_EQ(tables.services.size(), tables.config.service_buckets);
  EXPECT_EQ(tables.servers.size(), 16U);
  EXPECT_EQ(tables.counters.size(), 16U * tables.config.cpus);
  EXPECT_EQ(tables.next_hops.size(), 32U);
  EXPECT_EQ(tables.interfaces.size(), interfaces_max);
  EXPECT_EQ(tables.reasons.size(), tables.config.cpus);
  EXPECT_EQ(tables.punted.size(), punted_max);
  EXPECT_EQ(tables.schedules.size(), 64U);
  tables.connections.back().records[7].word = 1;  // the last byte is mapped, too
  tables.schedules.back() = 1;
  tables.punted.back().bytes[punted_bytes_max - 1] = 1;
}

TEST_F(LoaderTest, a_new_program_over_the_same_maps_sees_the_same_tables) {
  auto again = load_programs(loaded_->maps);
  ASSERT_TRUE(again) << again.error().message;
  loaded_->programs = std::move(*again);
  EXPECT_EQ(run({}), XDP_PASS);
  u64 counted = 0;
  for (const ReasonCounters& row : loaded_->tables().reasons)
    for (const u64 packets : row.packets) counted += packets;
  EXPECT_EQ(counted, 1U);
}

TEST_F(LoaderTest, kernel_clock_advances_with_the_seconds_of_its_own_rate) {
  auto clock = KernelClock::start(loaded_->programs.clock.fd());
  ASSERT_TRUE(clock) << clock.error().message;
  const u32 hz = clock->ticks_per_second();
  EXPECT_TRUE(hz == 100 || hz == 250 || hz == 300 || hz == 1000) << hz;

  const u32 first = clock->ticks();
  const auto begin = clock->steady();
  const auto deadline = begin + std::chrono::seconds(20);
  while (clock->ticks() - first < hz / 5 && clock->steady() < deadline) std::this_thread::yield();
  const auto elapsed = (clock->steady() - begin).count();
  EXPECT_GE(elapsed, 200 - 1000 / static_cast<int>(hz) - 1);
  EXPECT_LT(elapsed, 1000);
}

}  // namespace
}  // namespace penstock::control
