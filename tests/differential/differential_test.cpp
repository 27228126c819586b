// The native and the BPF build of the packet path get the same frames, and must do the same with them: verdict, bytes, and every
// byte of their tables. Directors of everything are drawn by chance, one after another. PENSTOCK_SEED and PENSTOCK_PACKETS choose
// others, or more of them; PENSTOCK_PACKETS=10000000 is worth a run before a release.
#include <gtest/gtest.h>
#include <sched.h>

#include <cstdlib>
#include <optional>

#include "datapath/core/balance.hpp"
#include "datapath/native/native_platform.hpp"
#include "datapath/native/native_tables.hpp"
#include "tests/differential/bpf_machine.hpp"
#include "tests/differential/generator.hpp"
#include "tests/differential/happening.hpp"
#include "tests/packets/inventory.hpp"
#include "tests/packets/mixed_director.hpp"

namespace penstock::differential {
namespace {

using packets::hex;
using packets::MixedDirector;

constexpr u64 frames_per_director = 10'000;

u64 number_from_environment(const char* name, u64 otherwise) {
  const char* text = std::getenv(name);
  return text ? std::strtoull(text, nullptr, 0) : otherwise;
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

template <typename Row>
Region region(const char* name, Row* bpf, Row* native) {
  return region(name, std::span(bpf, 1), std::span(native, 1));
}

// What any packet may change.
std::vector<Region> written_regions(const Tables& bpf, const Tables& native) {
  return {region("connections", bpf.connections, native.connections),
          region("connection tags", bpf.connection_tags, native.connection_tags),
          region("loads", bpf.loads, native.loads),
          region("counters", bpf.counters, native.counters),
          region("schedules", bpf.schedules, native.schedules),
          region("reasons", bpf.reasons, native.reasons),
          region("shared", bpf.shared, native.shared)};
}

// Large, and changed by few.
Region punted_region(const Tables& bpf, const Tables& native) { return region("punted", bpf.punted, native.punted); }

// What only directors are programmed by.
std::vector<Region> programmed_regions(const Tables& bpf, const Tables& native) {
  return {region("services", bpf.services, native.services),
          region("service tags", bpf.service_tags, native.service_tags),
          region("servers", bpf.servers, native.servers),
          region("next hops", bpf.next_hops, native.next_hops),
          region("interfaces", bpf.interfaces, native.interfaces),
          region("filter", bpf.vip_filter, native.vip_filter),
          region("settings", bpf.settings, native.settings),
          region("marks", bpf.mark_rules, native.mark_rules),
          region("local addresses", bpf.local_pool, native.local_pool),
          region("own addresses", bpf.own_prefixes, native.own_prefixes)};
}

void copy_to_native(const Region& region) { std::copy(region.bpf.begin(), region.bpf.end(), region.native.begin()); }

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

u32 stay_on_this_cpu() {
  const int cpu = sched_getcpu();
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(static_cast<std::size_t>(cpu), &set);
  EXPECT_EQ(sched_setaffinity(0, sizeof set, &set), 0);
  return static_cast<u32>(cpu);
}

class Differential : public ::testing::TestWithParam<ProgramKind> {
 protected:
  void SetUp() override {
    const auto cpus = control::counter_rows();
    ASSERT_TRUE(cpus) << cpus.error().message;
    Config config = MixedDirector::config();
    config.cpus = *cpus;
    auto machine = BpfMachine::load(config, GetParam());
    if (!machine && machine.error().code == ErrorCode::permission_denied)
      GTEST_SKIP() << "skipped: BPF programs can't be loaded here: " << machine.error().message;
    ASSERT_TRUE(machine) << machine.error().message;
    bpf_.emplace(std::move(*machine));
    native_.emplace(config);
    cpu_ = stay_on_this_cpu();
    regions_ = written_regions(bpf_->tables(), native_->view());
  }

  // Both tables are empty, then programmed alike. What was reached before is remembered.
  void draw_director(u64 seed) {
    const Tables& native = native_->view();
    for (u32 reason = 0; reason < reasons; ++reason) reached_[reason] += native.reasons[cpu_].packets[reason];
    for (const std::vector<Region>& some :
         {regions_, programmed_regions(bpf_->tables(), native), {punted_region(bpf_->tables(), native)}}) {
      for (const Region& region : some) {
        std::ranges::fill(region.bpf, u8{0});
        std::ranges::fill(region.native, u8{0});
      }
    }
    MixedDirector{bpf_->tables(), seed};
    MixedDirector{native, seed};
    ASSERT_EQ(difference(regions_), std::nullopt);
    ASSERT_EQ(difference(programmed_regions(bpf_->tables(), native)), std::nullopt);
    tick_ = *bpf_->ticks();
  }

  RunResult run_native(const Bytes& frame, u32 now) {
    FrameBuffer buffer(frame);
    NativePlatform platform(native_->view(), buffer, now, test_run_ingress, cpu_);
    const Verdict verdict = balance(platform);
    const auto left = buffer.frame();
    RunResult result{verdict, {left.begin(), left.end()}};
    if (GetParam() == ProgramKind::tc) look_like_tc(result, platform.work()->tag);
    return result;
  }

  // A tag stands beside the frame there, where a test run doesn't show it.
  static void look_like_tc(RunResult& result, const VlanTag& tag) {
    if (result.verdict == Verdict::transmit) result.verdict = Verdict::redirect;
    if (is_tag(tag.type) && result.frame.size() >= sizeof(TaggedHeader))
      result.frame.erase(result.frame.begin() + 12, result.frame.begin() + 16);
  }

  [[nodiscard]] u64 handed_over() {
    const ReasonCounters& counted = native_->view().reasons[cpu_];
    u64 sum = 0;
    for (const Reason reason : {Reason::fragment_waits, Reason::to_be_fragmented, Reason::ftp_text, Reason::punt_full})
      sum += counted.packets[static_cast<u32>(reason)];
    return sum;
  }

  // Jiffies may have gone on while the program ran. Then nobody knows its `now`, and native takes over what BPF left behind.
  void compare(const Bytes& frame, Generator& generator) {
    if (GetParam() == ProgramKind::tc && !is_taken_as_socket_buffer(frame)) {
      ++not_taken_;
      return;
    }
    const u32 before = tick_;
    const auto bpf = bpf_->run(frame);
    ASSERT_TRUE(bpf) << bpf.error().message;
    tick_ = *bpf_->ticks();
    if (tick_ != before) {
      ++between_ticks_;
      for (const Region& region : regions_) copy_to_native(region);
      copy_to_native(punted_region(bpf_->tables(), native_->view()));
      return;
    }
    const u64 handed = handed_over();
    const RunResult native = run_native(frame, before);
    ASSERT_EQ(native.verdict, bpf->verdict) << hex(frame);
    // What a dropped frame holds is nobody's concern: an error that could not be finished may be in it.
    if (native.verdict != Verdict::drop) {
      ASSERT_TRUE(native.frame == bpf->frame)
          << hex(frame) << "\nnative " << hex(native.frame) << "\nbpf    " << hex(bpf->frame);
    }
    ASSERT_EQ(difference(regions_), std::nullopt) << hex(frame);
    if (handed != handed_over()) {
      ASSERT_EQ(difference({punted_region(bpf_->tables(), native_->view())}), std::nullopt) << hex(frame);
    }
    ++verdicts_[static_cast<u32>(native.verdict)];
    if (native.verdict == Verdict::transmit || native.verdict == Verdict::redirect) generator.note_sent(native.frame);
  }

  void happen_to_both(Generator& generator) {
    const Happening happening = Happening::drawn(generator);
    happen(bpf_->tables(), happening);
    happen(native_->view(), happening);
  }

  void empty_punted_of_both() {
    empty_punted(bpf_->tables());
    empty_punted(native_->view());
  }

  std::optional<BpfMachine> bpf_;
  std::optional<NativeTables> native_;
  std::vector<Region> regions_;
  u32 cpu_ = 0;
  u32 tick_ = 0;
  u64 between_ticks_ = 0;
  u64 not_taken_ = 0;
  u64 verdicts_[5] = {};
  u64 reached_[reasons] = {};
};

// Two processors at once, an assertion, a frame without headroom, which a test run always has, many packets in one; and none of
// the directors has a server at a loopback address. That lblcr sends one destination to five servers is too rare to count on.
bool is_out_of_reach(u32 reason) {
  const auto named = static_cast<Reason>(reason);
  return named == Reason::superseded || named == Reason::bug || named == Reason::no_room ||
         named == Reason::tunnel_not_summed || named == Reason::loopback_server || named == Reason::lblcr_set_full;
}

TEST_P(Differential, both_builds_do_the_same_with_a_million_frames) {
  const u64 seed = number_from_environment("PENSTOCK_SEED", 1);
  const u64 count = number_from_environment("PENSTOCK_PACKETS", GetParam() == ProgramKind::xdp ? 1'000'000 : 200'000);
  std::printf("PENSTOCK_SEED=%llu PENSTOCK_PACKETS=%llu\n", static_cast<unsigned long long>(seed),
              static_cast<unsigned long long>(count));
  for (u64 done = 0; done < count; done += frames_per_director) {
    const u64 of_director = seed + done / frames_per_director;
    draw_director(of_director);
    Generator generator(of_director);
    for (u64 i = 0; i < frames_per_director && done + i < count; ++i) {
      if (generator.one_in(200)) happen_to_both(generator);
      if (generator.one_in(40)) empty_punted_of_both();
      compare(generator.next(), generator);
      ASSERT_FALSE(HasFatalFailure()) << "packet " << i << " of PENSTOCK_SEED=" << of_director;
    }
    packets::expect_loads_to_match(native_->view());
    packets::expect_tags_to_match(native_->view());
    ASSERT_FALSE(HasFailure()) << "PENSTOCK_SEED=" << of_director;
  }
  draw_director(seed);  // adds up what was reached

  std::printf(
      "dropped %llu, passed %llu, sent back %llu, redirected %llu; %llu not compared: between two ticks; "
      "%llu that the kernel takes for no socket buffer\n",
      static_cast<unsigned long long>(verdicts_[1]), static_cast<unsigned long long>(verdicts_[2]),
      static_cast<unsigned long long>(verdicts_[3]), static_cast<unsigned long long>(verdicts_[4]),
      static_cast<unsigned long long>(between_ticks_), static_cast<unsigned long long>(not_taken_));
  EXPECT_LT(between_ticks_, count / 10 + 10);
  EXPECT_LT(not_taken_, count / 20 + 10);
  EXPECT_EQ(verdicts_[static_cast<u32>(Verdict::aborted)], 0U);
  EXPECT_EQ(reached_[static_cast<u32>(Reason::bug)], 0U);
  if (count < 1'000'000) return;
  for (u32 reason = 0; reason < reasons; ++reason)
    if (!is_out_of_reach(reason)) {
      EXPECT_GT(reached_[reason], 0U) << "no frame met reason " << reason;
    }
  for (u32 verdict = 1; verdict <= 4; ++verdict) {
    if (GetParam() == ProgramKind::tc && static_cast<Verdict>(verdict) == Verdict::transmit) continue;  // it has none
    EXPECT_GT(verdicts_[verdict], count / 100) << "verdict " << verdict;
  }
}

INSTANTIATE_TEST_SUITE_P(Programs, Differential, testing::Values(ProgramKind::xdp, ProgramKind::tc),
                         [](const auto& program) { return program.param == ProgramKind::xdp ? "xdp" : "tc"; });

}  // namespace
}  // namespace penstock::differential
