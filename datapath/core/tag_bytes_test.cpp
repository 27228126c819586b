#include "datapath/core/tag_bytes.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <vector>

namespace penstock {
namespace {

u8 byte_of(u64 word, u32 index) { return static_cast<u8>(word >> (8 * index)); }

// Members of a set in the order in which it gives them.
std::vector<u32> members(u64 set) {
  std::vector<u32> found;
  for (; set != 0; set = without_first(set)) found.push_back(first_byte(set));
  return found;
}

// Few values, so that equal, zero and one meet often.
std::vector<u64> words() {
  std::mt19937_64 random(1);
  std::vector<u64> all{0, ~0ULL, each_byte, each_top_bit, 0x0100010001000100};
  for (int i = 0; i < 200000; ++i) {
    u64 word = 0;
    for (int byte = 0; byte < 8; ++byte) word = word << 8 | (random() % 2 ? random() % 4 : random() % 256);
    all.push_back(word);
  }
  return all;
}

TEST(TagBytes, every_zero_byte_is_found_and_the_lowest_is_truly_one) {
  for (const u64 word : words()) {
    const auto found = members(zero_bytes(word));
    ASSERT_EQ(found.size(), size_of_set(zero_bytes(word)));
    for (u32 index = 0; index < 8; ++index) {
      const bool reported = std::find(found.begin(), found.end(), index) != found.end();
      if (byte_of(word, index) == 0) {
        ASSERT_TRUE(reported) << std::hex << word;
      } else if (reported) {  // as announced: a one above a zero
        ASSERT_EQ(byte_of(word, index), 1) << std::hex << word;
        ASSERT_GT(index, found.front());
      }
    }
  }
}

TEST(TagBytes, every_equal_byte_is_found) {
  for (const u64 word : words()) {
    for (const u32 tag : {1U, 2U, 3U, 0x80U, 0xffU}) {
      const auto found = members(bytes_equal_to(static_cast<u8>(tag), word));
      for (u32 index = 0; index < 8; ++index) {
        if (byte_of(word, index) != tag) continue;
        ASSERT_NE(std::find(found.begin(), found.end(), index), found.end()) << std::hex << word << " " << tag;
      }
      if (!found.empty()) {
        ASSERT_EQ(byte_of(word, found.front()), tag);
      }
    }
  }
}

TEST(TagBytes, counting_may_start_anywhere) {
  for (u32 members_of = 0; members_of < 256; ++members_of) {
    u64 set = 0;
    for (u32 byte = 0; byte < 8; ++byte) set |= static_cast<u64>(members_of >> byte & 1) << (byte * 8 + 7);
    for (u32 start = 0; start < 8; ++start) {
      std::vector<u32> expected;
      for (u32 i = 0; i < 8; ++i) {
        if (members_of >> (start + i) % 8 & 1) expected.push_back((start + i) % 8);
      }
      std::vector<u32> found;
      for (const u32 distance : members(set_from(set, start))) found.push_back((distance + start) % 8);
      ASSERT_EQ(found, expected);
    }
  }
}

TEST(TagBytes, a_hash_never_has_the_tag_of_a_free_slot) {
  EXPECT_EQ(tag_byte_of(0x00ffffffffffffff), 1);
  EXPECT_EQ(tag_byte_of(0x01ffffffffffffff), 1);
  EXPECT_EQ(tag_byte_of(0xff00000000000000), 0xff);
}

}  // namespace
}  // namespace penstock
