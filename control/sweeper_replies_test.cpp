// Two connections that a real server can't tell apart: which of them its packets are given to, before and after a walk of the sweeper.
#include <gtest/gtest.h>

#include "control/sweeper.hpp"
#include "tests/packets/daemon_world.hpp"
#include "tests/packets/nat_frames.hpp"

namespace penstock::control {
namespace {

using namespace packets;

constexpr u16 web = 80;
const std::string other_vip = "192.0.2.9";

class SweeperReplies : public testing::Test, protected World, protected NatFrames {
 protected:
  SweeperReplies() : World(with_a_row_for_the_daemon()), NatFrames{.server = 2} {
    const u32 rs = add_rs(2, Method::nat, {.port = web});
    for (const std::string& address : {vip, other_vip}) director.add_service({address, web, 17}, {rs});
    for (const std::string& address : {vip, other_vip}) (void)send(to(address));  // the older connection, the newer one
  }

  static Frame to(const std::string& address) { return from_client().ipv4(client, address).udp(1, web); }
  void expect_answer_from(const std::string& address) {
    expect_frame(reply(answer().udp(web, 1)), to_client().ipv4(address, client, {.ttl = 63}).udp(web, 1), outer_link);
  }
  void walk() { (void)sweeper_.sweep(tables().connections.size()); }

  WorldClock clock_{now};
  Sweeper sweeper_{tables(), clock_};
};

TEST_F(SweeperReplies, the_older_connection_gets_them_back_when_the_newer_has_ended) {
  for (u32 i = 0; i < 4; ++i) {
    pass_seconds(99);
    (void)send(to(vip));
    walk();
  }
  EXPECT_EQ(records(Role::request), 1U);
  expect_answer_from(vip);
  (void)send(to(vip));
  expect_answer_from(vip);
  walk();
  EXPECT_EQ(records(Role::reply), 1U);
  expect_order();
}

TEST_F(SweeperReplies, not_while_the_newer_lives) {
  for (u32 i = 0; i < 4; ++i) {
    pass_seconds(99);
    (void)send(to(vip));
    (void)send(to(other_vip));
    walk();
    expect_answer_from(other_vip);
  }
  EXPECT_EQ(records(Role::reply), 0U);
}

TEST_F(SweeperReplies, end_with_the_connection) {
  pass_seconds(299);
  (void)send(to(vip));
  pass_seconds(2);
  walk();
  expect_answer_from(vip);
  pass_seconds(301);
  walk();
  walk();
  EXPECT_EQ(records(Role::request) + records(Role::reply), 0U);
  EXPECT_EQ(reply(answer().udp(web, 1)).verdict, Verdict::pass);
}

TEST_F(SweeperReplies, nobody_gives_way_for_them) {
  pass_seconds(299);
  (void)send(to(vip));
  pass_seconds(2);
  director.add_service({vip, web, 6}, {add_rs(3, Method::direct)});
  for (u16 port = 2; port < 5000; ++port) (void)send(in().tcp(port, web, syn));
  const std::size_t all = tables().connections.size() * records_per_bucket;
  EXPECT_EQ(records(Role::request), all);
  walk();
  EXPECT_EQ(records(Role::request), all);
  EXPECT_EQ(records(Role::reply), 0U) << "there is no room";
}

}  // namespace
}  // namespace penstock::control
