#include "datapath/core/checksum.hpp"

#include <gtest/gtest.h>

#include <cstring>
#include <random>

#include "datapath/native/native_platform.hpp"
#include "datapath/native/native_tables.hpp"
#include "tests/packets/checksum.hpp"

namespace penstock {
namespace {

using packets::Bytes;
using packets::naive_checksum;

u16 in_memory(u16 value) { return __builtin_bswap16(value); }

TEST(Checksum, fold_is_the_ones_complement_sum_of_any_64_bits) {
  std::mt19937_64 random(1);
  for (int i = 0; i < 100000; ++i) {
    const u64 sum = random() >> random() % 64;
    const u64 expected = sum == 0 ? 0 : (sum - 1) % 0xffff + 1;  // ones' complement addition is addition modulo 0xffff
    ASSERT_EQ(fold(sum), expected) << sum;
  }
  EXPECT_EQ(fold(~0ULL), 0xffff);
}

TEST(Checksum, updated_is_the_whole_checksum_of_the_changed_header) {
  std::mt19937 random(2);
  for (int i = 0; i < 100000; ++i) {
    Bytes header(20);
    for (auto& byte : header) byte = static_cast<u8>(random());
    if (i % 3 == 0) std::fill(header.begin() + 2, header.end(), u8{0});  // near the two zeroes
    const u16 before_sum = naive_checksum(header);
    u16 before = 0;
    std::memcpy(&before, header.data() + 8, 2);
    const u16 after = static_cast<u16>(random() % 4 == 0 ? 0xffff : random());
    std::memcpy(header.data() + 8, &after, 2);
    const u16 updated = updated_checksum(in_memory(before_sum), before, after);
    ASSERT_EQ(updated, in_memory(naive_checksum(header)));
  }
}

TEST(Checksum, sum_of_tail_is_right_at_every_length) {
  NativeTables tables(small_config());
  for (std::size_t length = 0; length <= sum_length_max; ++length) {
    Bytes frame(network_offset + 28 + length);
    for (std::size_t i = 0; i < frame.size(); ++i) frame[i] = static_cast<u8>(i * 89 + 41);
    const Bytes tail(frame.begin() + network_offset + 28, frame.end());
    FrameBuffer buffer(frame);
    const NativePlatform platform(tables.view(), buffer, 0, 1);
    const u16 sum = fold(sum_of_tail(platform, network_offset + 28, static_cast<u32>(length)));
    ASSERT_EQ(static_cast<u16>(~sum), in_memory(naive_checksum(tail))) << length;
  }
}

}  // namespace
}  // namespace penstock
