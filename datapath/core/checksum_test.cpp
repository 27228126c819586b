#include "datapath/core/checksum.hpp"

#include <gtest/gtest.h>

#include <cstring>
#include <random>

#include "datapath/core/parse.hpp"
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

u16 sum_by_step(const Bytes& frame, u32 begin, u32 length) {
  static NativeTables tables(small_config());
  FrameBuffer buffer(frame);
  NativePlatform platform(tables.view(), buffer, 0, 1);
  return fold(sum_of(platform, *platform.work(), begin, length));
}

TEST(Checksum, the_sum_of_a_part_is_right_at_every_length) {
  for (const u32 begin : {14U, 34U, 42U, 54U, 62U}) {
    for (std::size_t length = 0; length <= sum_length_max - begin; ++length) {
      Bytes frame(begin + length + 3);
      for (std::size_t i = 0; i < frame.size(); ++i) frame[i] = static_cast<u8>(i * 89 + 41);
      const Bytes part(frame.begin() + begin, frame.begin() + static_cast<std::ptrdiff_t>(begin + length));
      const u16 sum = sum_by_step(frame, begin, static_cast<u32>(length));
      ASSERT_EQ(static_cast<u16>(~sum), in_memory(naive_checksum(part))) << begin << " " << length;
      if (length > 300 && length < sum_length_max - 300) length += 96;
    }
  }
}

TEST(Checksum, of_the_pseudo_header_is_that_of_the_rfcs) {
  std::mt19937_64 random(3);
  for (int i = 0; i < 10000; ++i) {
    const bool v4 = i % 2 == 0;
    Bytes source(v4 ? 4 : 16);
    Bytes destination(source.size());
    for (auto& byte : source) byte = static_cast<u8>(random());
    for (auto& byte : destination) byte = static_cast<u8>(random());
    AddressImage from{};
    AddressImage to{};
    std::memcpy(&from, source.data(), source.size());
    std::memcpy(&to, destination.data(), destination.size());
    const Bytes transport(random() % 9000);  // zeros, so that only their number counts
    const u8 protocol = static_cast<u8>(random());
    const u64 sum = sum_of_pseudo_header(from, to, protocol, static_cast<u32>(transport.size()));
    ASSERT_EQ(static_cast<u16>(~fold(sum)),
              in_memory(packets::naive_transport_checksum(source, destination, protocol, transport)));
  }
}

}  // namespace
}  // namespace penstock
