#include "schedulers/source_hash.hpp"

#include <gtest/gtest.h>

#include "schedulers/address_image_for_tests.hpp"

namespace penstock::schedulers {
namespace {

// 240: ipvs-spec.md §6.
TEST(sh_bucket, is_the_kernels) {
  const auto [client, family] = image_of("10.0.1.1");
  EXPECT_EQ(sh_bucket(client, family, be16{}, 0), 240U);
}

TEST(sh_bucket, adds_the_port_in_host_order_before_hashing) {
  const auto [client, family] = image_of("10.0.0.250");  // 10.0.1.1 is seven more
  EXPECT_EQ(sh_bucket(client, family, big(u16{7}), 0), 240U);
}

TEST(sh_bucket, adds_the_offset_after_hashing_and_wraps) {
  const auto [client, family] = image_of("10.0.1.1");
  EXPECT_EQ(sh_bucket(client, family, be16{}, 15), 255U);
  EXPECT_EQ(sh_bucket(client, family, be16{}, 16), 0U);
  EXPECT_EQ(sh_bucket(client, family, be16{}, 255), 239U);
}

TEST(sh_bucket, folds_all_words_of_ipv6) {
  for (const char* address : {"a00:101::", "0:0:a00:101::", "::a00:101:0:0", "::a00:101", "a00:101::1:0:1"}) {
    const auto [client, family] = image_of(address);
    EXPECT_EQ(sh_bucket(client, family, be16{}, 0), 240U) << address;
  }
}

TEST(dh_bucket, is_that_of_sh_for_the_other_end) {
  const auto [destination, family] = image_of("10.0.1.1");
  EXPECT_EQ(dh_bucket(destination, family), 240U);
}

}  // namespace
}  // namespace penstock::schedulers
