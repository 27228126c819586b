#include "control/attachments.hpp"

#include <gmock/gmock.h>

namespace penstock::control {
namespace {

using testing::ElementsAre;

TEST(WaysOnto, a_network_card_gets_native_xdp_and_tc_where_its_driver_has_none) {
  const Ways ways = ways_onto({.name = "eth0", .kind = ""}, ModeChoice::automatic);
  EXPECT_THAT(ways.hooks, ElementsAre(Hook::native, Hook::tc, Hook::generic));
  EXPECT_EQ(ways.why, "");
}

TEST(WaysOnto, what_another_kernel_feeds_gets_tc_and_never_native_xdp) {
  for (const char* kind : {"veth", "tun", "bridge"}) {
    const Ways ways = ways_onto({.name = "eth0", .kind = kind}, ModeChoice::automatic);
    EXPECT_THAT(ways.hooks, ElementsAre(Hook::tc, Hook::generic)) << kind;
    EXPECT_NE(ways.why.find(kind), ways.why.npos);
  }
}

TEST(WaysOnto, an_option_is_an_order) {
  for (const char* kind : {"", "veth"}) {
    const Link link{.name = "eth0", .kind = kind};
    EXPECT_THAT(ways_onto(link, ModeChoice::native).hooks, ElementsAre(Hook::native));
    EXPECT_THAT(ways_onto(link, ModeChoice::tc).hooks, ElementsAre(Hook::tc));
    EXPECT_THAT(ways_onto(link, ModeChoice::generic).hooks, ElementsAre(Hook::generic));
  }
}

}  // namespace
}  // namespace penstock::control
