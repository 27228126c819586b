#include "schedulers/kind.hpp"

#include <gtest/gtest.h>

namespace penstock::schedulers {
namespace {

TEST(kind, is_found_by_ipvs_name) {
  EXPECT_EQ(kind_of("rr"), Kind::rr);
  EXPECT_EQ(kind_of("wrr"), Kind::wrr);
  EXPECT_EQ(kind_of("lc"), Kind::lc);
  EXPECT_EQ(kind_of("wlc"), Kind::wlc);
  EXPECT_EQ(kind_of("sed"), Kind::sed);
  EXPECT_EQ(kind_of("nq"), Kind::nq);
  EXPECT_EQ(kind_of("lblc"), Kind::lblc);
  EXPECT_EQ(kind_of("lblcr"), Kind::lblcr);
  EXPECT_EQ(kind_of("dh"), Kind::dh);
  EXPECT_EQ(kind_of("sh"), Kind::sh);
  EXPECT_EQ(kind_of("mh"), Kind::mh);
  EXPECT_EQ(kind_of("fo"), Kind::fo);
  EXPECT_EQ(kind_of("ovf"), Kind::ovf);
  EXPECT_EQ(kind_of("twos"), Kind::twos);
  EXPECT_EQ(kind_of("none"), Kind::none);
}

TEST(kind, of_another_name_is_none_at_all) {
  for (const char* name : {"", "r", "rrr", "RR", "wlc "}) EXPECT_EQ(kind_of(name), std::nullopt) << name;
}

}  // namespace
}  // namespace penstock::schedulers
