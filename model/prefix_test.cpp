#include "model/prefix.hpp"

#include <gtest/gtest.h>

namespace penstock::model {
namespace {

std::string read_back(const char* text) {
  const auto prefix = parse_prefix(text);
  return prefix ? to_string(*prefix) : "no prefix";
}

TEST(prefix, reads_and_writes_blocks_and_drops_what_stands_beyond_their_length) {
  EXPECT_EQ(read_back("203.0.113.0/24"), "203.0.113.0/24");
  EXPECT_EQ(read_back("203.0.113.77/24"), "203.0.113.0/24");
  EXPECT_EQ(read_back("203.0.113.255/31"), "203.0.113.254/31");
  EXPECT_EQ(read_back("203.0.113.7"), "203.0.113.7");
  EXPECT_EQ(read_back("203.0.113.7/32"), "203.0.113.7");
  EXPECT_EQ(read_back("203.0.113.7/0"), "0.0.0.0/0");
  EXPECT_EQ(read_back("2001:db8:ffff::1/33"), "2001:db8:8000::/33");
  EXPECT_EQ(read_back("::1/128"), "::1");
  EXPECT_EQ(read_back("::1/0"), "::/0");
}

TEST(prefix, refuses_what_is_none) {
  for (const char* text : {"", "/", "/8", "10.0.0.0/", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/8/8", "10.0.0.0/8 ",
                           "10/8", "::/129", "::/999", "localhost"})
    EXPECT_FALSE(parse_prefix(text)) << text;
}

TEST(prefix, contains_the_addresses_of_its_family_with_its_bits) {
  const Prefix block = *parse_prefix("10.1.2.0/23");
  EXPECT_TRUE(contains(block, *parse_address("10.1.2.0")));
  EXPECT_TRUE(contains(block, *parse_address("10.1.3.255")));
  EXPECT_FALSE(contains(block, *parse_address("10.1.4.0")));
  EXPECT_TRUE(contains(any_address(Family::ipv6), *parse_address("2001:db8::1")));
  EXPECT_FALSE(contains(any_address(Family::ipv6), *parse_address("10.1.2.0")));
}

}  // namespace
}  // namespace penstock::model
