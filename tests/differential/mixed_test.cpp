// Directors of everything, drawn by chance, and frames of all kinds, through the native packet path alone: what must be true of each
// frame is, and the tables are in order afterwards. Needs no privilege; differential_test.cpp compares with the kernel's build.
// PENSTOCK_SEED chooses others.
#include <gtest/gtest.h>

#include <cstdlib>

#include "datapath/native/native_platform.hpp"
#include "tests/differential/generator.hpp"
#include "tests/differential/happening.hpp"
#include "tests/packets/invariants.hpp"
#include "tests/packets/inventory.hpp"

namespace penstock::differential {
namespace {

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr u32 rounds = 10;  // the same code, ten times slower
#else
constexpr u32 rounds = 60;
#endif
constexpr u32 frames_per_round = 5000;

TEST(Mixed, every_frame_keeps_the_rules_and_the_tables_stay_in_order) {
  const char* text = std::getenv("PENSTOCK_SEED");
  const u64 first_seed = text ? std::strtoull(text, nullptr, 0) : 1;
  std::vector<u64> reached(reasons);
  for (u64 seed = first_seed; seed < first_seed + rounds; ++seed) {
    NativeTables tables(packets::MixedDirector::config());
    packets::MixedDirector director(tables.view(), seed);
    Generator generator(seed);
    u32 now = 0xffffff00;  // the clock wraps
    for (u32 i = 0; i < frames_per_round; ++i) {
      if (generator.one_in(100)) now += generator.below(8);
      if (generator.one_in(200)) happen(tables.view(), Happening::drawn(generator));
      if (generator.one_in(40)) empty_punted(tables.view());
      const Bytes frame = generator.next();
      const ReasonCounters before = tables.view().reasons[0];
      const PacketResult result = process(tables.view(), frame, now, packets::mixed::link);
      std::vector<u64> counted;
      for (u32 reason = 0; reason < reasons; ++reason)
        counted.push_back(tables.view().reasons[0].packets[reason] - before.packets[reason]);
      ASSERT_EQ(packets::complaint_about({frame, result.frame, result.verdict, counted}), "")
          << "PENSTOCK_SEED=" << seed << " frame " << i << "\n"
          << packets::hex(frame) << "\n"
          << packets::hex(result.frame);
      if (result.verdict == Verdict::transmit || result.verdict == Verdict::redirect) generator.note_sent(result.frame);
    }
    packets::expect_loads_to_match(tables.view());
    packets::expect_tags_to_match(tables.view());
    EXPECT_EQ(packets::duplicates(tables.view(), now), 0U);
    for (u32 reason = 0; reason < reasons; ++reason) reached[reason] += tables.view().reasons[0].packets[reason];
    ASSERT_FALSE(HasFailure()) << "PENSTOCK_SEED=" << seed;
  }
  if (text || rounds < 60) return;  // what is reached is known of our own seeds only
  for (u32 reason = 0; reason < reasons; ++reason) {
    const auto name = static_cast<Reason>(reason);
    if (name == Reason::bug || name == Reason::superseded || name == Reason::no_room ||
        name == Reason::tunnel_not_summed || name == Reason::loopback_server || name == Reason::lblcr_set_full)
      continue;
    EXPECT_GT(reached[reason], 0U) << "no frame met reason " << reason;
  }
}

}  // namespace
}  // namespace penstock::differential
