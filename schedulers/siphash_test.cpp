// Expected values are the kernel's (ipvs-spec.md §6); recorded_hashes_test has whole flows.
#include "schedulers/siphash.hpp"

#include <gtest/gtest.h>

#include "schedulers/address_image_for_tests.hpp"

namespace penstock::schedulers {
namespace {

TEST(siphash, is_the_kernels) {
  EXPECT_EQ(siphash(0, mh_first_key), 0x1d5a77c2U);
  EXPECT_EQ(siphash(0x0a000101, mh_first_key), 0x22b97fb0U);
  EXPECT_EQ(siphash(0x0a000101, mh_second_key), 0x7d2a2fa6U);
}

TEST(mh_entry, takes_numbers_in_host_order) {
  const auto [client, family] = image_of("10.0.1.1");
  EXPECT_EQ(mh_entry(client, family, be16{}, 0, 4093), 0x22b97fb0U % 4093);
  const auto [lower, lower_family] = image_of("10.0.0.250");  // 10.0.1.1 is seven more
  EXPECT_EQ(mh_entry(lower, lower_family, big(u16{7}), 0, 4093), 0x22b97fb0U % 4093);
  EXPECT_EQ(mh_entry(lower, lower_family, big(u16{3}), 4, 4093), 0x22b97fb0U % 4093);
}

TEST(mh_entry, folds_ipv6) {
  const auto [client, family] = image_of("a00:101::1:0:1");  // 0a000101 ^ 0 ^ 1 ^ 1
  EXPECT_EQ(mh_entry(client, family, be16{}, 0, 4093), 0x22b97fb0U % 4093);
}

TEST(mh_entry, of_a_table_of_one_is_it) {
  const auto [client, family] = image_of("10.0.1.1");
  EXPECT_EQ(mh_entry(client, family, be16{}, 0, 1), 0U);
}

}  // namespace
}  // namespace penstock::schedulers
