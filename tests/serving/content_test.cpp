#include "tests/serving/content.hpp"

#include <gtest/gtest.h>

#include <vector>

namespace penstock::serving {
namespace {

std::vector<std::byte> content(std::uint64_t seed, std::uint64_t offset, std::size_t size) {
  std::vector<std::byte> bytes(size);
  fill(bytes, seed, offset);
  return bytes;
}

TEST(Content, is_the_same_in_pieces_of_any_size) {
  const auto whole = content(7, 0, 1000);
  for (const std::size_t size : {1U, 3U, 8U, 999U}) {
    for (std::size_t at = 0; at + size <= whole.size(); at += size) {
      EXPECT_EQ(count_right(std::span(whole).subspan(at, size), 7, at), size) << at;
    }
  }
}

TEST(Content, a_changed_byte_is_found_at_its_place) {
  for (const std::size_t place : {0U, 8U, 500U, 999U}) {
    auto bytes = content(7, 0, 1000);
    bytes[place] ^= std::byte{0x10};
    EXPECT_EQ(count_right(bytes, 7, 0), place);
  }
}

TEST(Content, moved_or_another_content_is_not_right) {
  for (const std::uint64_t offset : {1U, 8U, 1448U}) EXPECT_LT(count_right(content(7, offset, 64), 7, 0), 8U) << offset;
  EXPECT_LT(count_right(content(8, 0, 64), 7, 0), 8U);
}

}  // namespace
}  // namespace penstock::serving
