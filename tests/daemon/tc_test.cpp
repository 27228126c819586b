// penstockd where it serves by TC, which on a veth is its own choice: attached, found again, taken away, and nobody else's things
// with it.
#include <gmock/gmock.h>

#include <csignal>

#include "api/client.hpp"
#include "control/tc_filter.hpp"
#include "tests/daemon/world.hpp"

namespace penstock::tests {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class Tc : public World {
 protected:
  static bool has_xdp() { return shell("ip link show eth0 | grep -q xdp"); }
  static bool has_clsact() { return shell("tc qdisc show dev eth0 | grep -q clsact"); }
  static bool has_filters(int count) {
    return shell("test $(tc filter show dev eth0 ingress | grep -c penstock_tc) = " + std::to_string(count));
  }
  void unload() { EXPECT_EQ(start_daemon({"--unload"}).wait(), 0) << log(); }
  std::vector<api::InterfaceView> interfaces() const {
    const auto info = client()->info();
    return info ? info->interfaces : std::vector<api::InterfaceView>{};
  }
};

TEST_F(Tc, is_what_a_veth_gets_and_it_is_said) {
  auto daemon = start_serving_daemon();
  EXPECT_TRUE(has_filters(1));
  EXPECT_FALSE(has_xdp());
  EXPECT_THAT(log(), HasSubstr("eth0: attached, TC, because packets of a veth"));
  EXPECT_THAT(interfaces(), ElementsAre(api::InterfaceView{"eth0", "tc"}));
}

TEST_F(Tc, outlives_the_daemon_and_is_replaced_by_the_next) {
  auto first = start_serving_daemon();
  first.signal(SIGKILL);
  EXPECT_EQ(first.wait(), 128 + SIGKILL);
  EXPECT_TRUE(has_filters(1));
  auto second = start_serving_daemon();
  EXPECT_THAT(log(), HasSubstr("eth0: program replaced, TC as before"));
  EXPECT_TRUE(has_filters(1)) << "one, not two";
}

TEST_F(Tc, unload_takes_away_what_was_made) {
  auto daemon = start_serving_daemon();
  daemon.signal(SIGTERM);
  ASSERT_EQ(daemon.wait(), 0);
  unload();
  EXPECT_TRUE(has_filters(0));
  EXPECT_FALSE(has_clsact());
}

TEST_F(Tc, clsact_of_another_stays) {
  ASSERT_TRUE(shell("tc qdisc add dev eth0 clsact"));
  auto daemon = start_serving_daemon();
  daemon.signal(SIGTERM);
  ASSERT_EQ(daemon.wait(), 0);
  unload();
  EXPECT_TRUE(has_filters(0));
  EXPECT_TRUE(has_clsact());
}

TEST_F(Tc, clsact_that_another_has_come_to_use_stays) {
  auto daemon = start_serving_daemon();
  ASSERT_TRUE(shell("tc filter add dev eth0 egress prio 1 bpf bytecode \"1,6 0 0 0,\""));
  daemon.signal(SIGTERM);
  ASSERT_EQ(daemon.wait(), 0);
  unload();
  EXPECT_TRUE(has_filters(0));
  EXPECT_TRUE(shell("tc filter show dev eth0 egress | grep -q bytecode"));
}

TEST_F(Tc, filter_of_another_in_our_place_is_named) {
  ASSERT_TRUE(shell("tc qdisc add dev eth0 clsact"));
  ASSERT_TRUE(shell("tc filter add dev eth0 ingress prio 10 u32 match u32 0 0"));
  EXPECT_EQ(start_daemon({"--interface", "eth0", "--mode", "tc"}).wait(), 1);
  EXPECT_THAT(log(), HasSubstr("attaching to eth0 (TC)"));
}

TEST_F(Tc, another_mode_takes_its_place) {
  auto first = start_serving_daemon();
  first.signal(SIGTERM);
  ASSERT_EQ(first.wait(), 0);
  auto second = start_serving_daemon({"--mode", "generic"});
  EXPECT_TRUE(has_filters(0));
  EXPECT_TRUE(has_xdp());
  EXPECT_THAT(interfaces(), ElementsAre(api::InterfaceView{"eth0", "generic"}));
  second.signal(SIGTERM);
  ASSERT_EQ(second.wait(), 0);
  auto third = start_serving_daemon({"--mode", "tc"});
  EXPECT_TRUE(has_filters(1));
  EXPECT_FALSE(has_xdp());
}

TEST_F(Tc, interface_that_comes_back_is_served_again) {
  auto daemon = start_serving_daemon();
  for (int time = 0; time < 2; ++time) {
    ASSERT_TRUE(shell("ip link add late0 index 77 type veth peer name late1 && ip link set late0 up"));
    EXPECT_TRUE(comes_true([] { return shell("tc filter show dev late0 ingress | grep -q penstock_tc"); })) << log();
    ASSERT_TRUE(shell("ip link del late0"));
    EXPECT_TRUE(comes_true([this] { return interfaces().size() == 1; }));
  }
}

TEST_F(Tc, replies_of_the_director_itself_are_watched_while_it_is_a_real_server) {
  const auto has_watch = [] { return shell("tc filter show dev eth0 egress | grep -q penstock_tc_out"); };
  auto daemon = start_serving_daemon({"--mode", "generic"});
  EXPECT_FALSE(has_watch());
  const auto director = client();
  model::Service service;
  service.key = {model::Protocol::tcp, {*model::parse_address("10.9.0.100"), 80}, 0};
  service.scheduler = "rr";
  ASSERT_TRUE(director->add_service(service));
  model::RealServer server;
  server.endpoint = {*model::parse_address("127.0.0.1"), 80};
  ASSERT_TRUE(director->add_server(service.key, server));
  EXPECT_TRUE(comes_true(has_watch)) << log();
  EXPECT_FALSE(in_peer("exec 3<>/dev/tcp/10.9.0.100/80")) << "nobody listens there";
  const auto view = director->service(service.key);
  ASSERT_TRUE(view);
  EXPECT_EQ(view->statistics.out_packets, 1U);
  EXPECT_EQ(view->servers[0].active, 0U);
  EXPECT_EQ(view->servers[0].inactive, 1U);
  ASSERT_TRUE(director->delete_server(service.key, server.endpoint));
  EXPECT_TRUE(comes_true([&] { return !has_watch(); })) << log();
  EXPECT_FALSE(has_clsact());
}

}  // namespace
}  // namespace penstock::tests
