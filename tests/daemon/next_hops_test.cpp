// Next hops against a real kernel: a neighbour that answers, changes its MAC address and goes away.
#include <gmock/gmock.h>

#include <cstring>

#include "control/images.hpp"
#include "control/rtnetlink_next_hops.hpp"
#include "datapath/core/atomic.hpp"
#include "datapath/native/native_tables.hpp"
#include "tests/daemon/world.hpp"

namespace penstock::tests {
namespace {

using control::Mac;
using testing::HasSubstr;

const model::Address rs1 = *model::parse_address("10.9.0.2");

class NextHopsTest : public World {
 protected:
  void SetUp() override {
    World::SetUp();
    if (IsSkipped() || HasFatalFailure()) return;
    start();
  }

  void start() {
    const control::Log log{[this](const std::string& line) { words_ += line + "\n"; },
                           [this](const std::string& line) { words_ += line + "\n"; }};
    auto started = control::RtnetlinkNextHops::start(tables_.view(), log);
    ASSERT_TRUE(started) << started.error().message;
    next_hops_ = std::move(*started);
  }

  // Takes what the kernel says until `condition` holds.
  bool settles(const std::function<bool()>& condition) {
    return comes_true([&] {
      EXPECT_TRUE(next_hops_->take_notifications([](const control::LinkEvent&) {}));
      if (next_hops_->wants_refresh()) next_hops_->refresh();
      return condition();
    });
  }

  [[nodiscard]] bool is_resolved(u32 row) { return tables_.view().next_hops[row].state == NextHopState::resolved; }
  [[nodiscard]] NextHopState state_of(u32 row) { return tables_.view().next_hops[row].state; }
  [[nodiscard]] bool leaves_from(u32 row, const char* address) {
    const AddressImage image = control::image_of(*model::parse_address(address));
    return is_resolved(row) && std::memcmp(&tables_.view().next_hops[row].address, &image, sizeof image) == 0;
  }
  [[nodiscard]] bool goes_to(u32 row, const Mac& mac) {
    return is_resolved(row) && std::ranges::equal(tables_.view().next_hops[row].destination, mac);
  }

  NativeTables tables_{small_config()};
  std::string words_;
  std::unique_ptr<control::RtnetlinkNextHops> next_hops_;
};

constexpr Mac first_mac = {0x02, 0, 0, 0, 0, 0x11};
constexpr Mac second_mac = {0x02, 0, 0, 0, 0, 0x22};

TEST_F(NextHopsTest, neighbour_is_resolved_without_any_traffic) {
  ASSERT_TRUE(in_peer("ip link set peer0 address 02:00:00:00:00:11"));
  const auto row = next_hops_->acquire(rs1);
  ASSERT_TRUE(row) << row.error().message;
  EXPECT_NE(*row, no_next_hop);
  EXPECT_TRUE(settles([&] { return goes_to(*row, first_mac); })) << words_;
  EXPECT_EQ(tables_.view().next_hops[*row].mtu, 1500U);
  EXPECT_THAT(words_, HasSubstr("real server 10.9.0.2 is reached by eth0, 02:00:00:00:00:11"));
  EXPECT_FALSE(is_resolved(no_next_hop));
}

TEST_F(NextHopsTest, changed_mac_address_is_followed) {
  ASSERT_TRUE(in_peer("ip link set peer0 address 02:00:00:00:00:11"));
  const auto row = next_hops_->acquire(rs1);
  ASSERT_TRUE(row && settles([&] { return goes_to(*row, first_mac); })) << words_;
  ASSERT_TRUE(in_peer("ip link set peer0 address 02:00:00:00:00:22"));
  ASSERT_TRUE(shell("ip neigh flush dev eth0"));  // else the kernel's own probing finds out after half a minute
  EXPECT_TRUE(settles([&] { return goes_to(*row, second_mac); })) << words_;
}

TEST_F(NextHopsTest, mtu_of_the_link_is_followed) {
  const auto row = next_hops_->acquire(rs1);
  ASSERT_TRUE(row && settles([&] { return is_resolved(*row); })) << words_;
  ASSERT_TRUE(shell("ip link set eth0 mtu 1400"));
  EXPECT_TRUE(settles([&] { return tables_.view().next_hops[*row].mtu == 1400; })) << words_;
}

TEST_F(NextHopsTest, link_down_unresolves_and_link_up_resolves_again) {
  const auto row = next_hops_->acquire(rs1);
  ASSERT_TRUE(row && settles([&] { return is_resolved(*row); })) << words_;
  ASSERT_TRUE(shell("ip link set eth0 down"));
  EXPECT_TRUE(settles([&] { return !is_resolved(*row); })) << words_;
  ASSERT_TRUE(shell("ip link set eth0 up"));
  EXPECT_TRUE(settles([&] { return is_resolved(*row); })) << words_;
}

TEST_F(NextHopsTest, server_behind_a_gateway_is_reached_by_it_once_there_is_a_route) {
  const auto row = next_hops_->acquire(*model::parse_address("192.0.2.7"));
  ASSERT_TRUE(row);
  EXPECT_THAT(words_, HasSubstr("real server 192.0.2.7 can't be reached: there is no route to it"));
  ASSERT_TRUE(in_peer("ip link set peer0 address 02:00:00:00:00:11"));
  ASSERT_TRUE(shell("ip route add 192.0.2.0/24 via 10.9.0.3"));
  EXPECT_TRUE(settles([&] { return goes_to(*row, first_mac); })) << words_;
}

TEST_F(NextHopsTest, own_addresses_are_the_kernels) {
  ASSERT_TRUE(shell("ip link set lo up"));
  for (const char* address : {"10.9.0.1", "127.0.0.1", "::1"}) {
    const auto row = next_hops_->acquire(*model::parse_address(address));
    ASSERT_TRUE(row);
    EXPECT_EQ(state_of(*row), NextHopState::local) << address << "\n" << words_;
  }
  EXPECT_THAT(words_, HasSubstr("real server 10.9.0.1 is reached by this machine itself"));
}

TEST_F(NextHopsTest, address_that_comes_to_this_machine_becomes_the_kernels_and_leaves_it_again) {
  const auto row = next_hops_->acquire(rs1);
  ASSERT_TRUE(row && settles([&] { return is_resolved(*row); })) << words_;
  ASSERT_TRUE(shell("ip addr add 10.9.0.2/32 dev eth0"));
  EXPECT_TRUE(settles([&] { return state_of(*row) == NextHopState::local; })) << words_;
  ASSERT_TRUE(shell("ip addr del 10.9.0.2/32 dev eth0"));
  EXPECT_TRUE(settles([&] { return is_resolved(*row); })) << words_;
}

TEST_F(NextHopsTest, row_has_the_source_of_tunnels_and_its_change_is_told) {
  int changes = 0;
  next_hops_->on_change([&changes] { ++changes; });
  const auto row = next_hops_->acquire(rs1);
  ASSERT_TRUE(row && settles([&] { return leaves_from(*row, "10.9.0.1"); })) << words_;
  EXPECT_TRUE(settles([&] { return is_resolved(*row); }));
  const int before = changes;
  ASSERT_TRUE(shell("ip route replace 10.9.0.2/32 dev eth0 src 10.9.0.1"));
  ASSERT_TRUE(shell("ip addr add 10.9.0.200/32 dev eth0"));
  ASSERT_TRUE(shell("ip route replace 10.9.0.2/32 dev eth0 src 10.9.0.200"));
  EXPECT_TRUE(settles([&] { return leaves_from(*row, "10.9.0.200"); })) << words_;
  EXPECT_GT(changes, before);
}

TEST_F(NextHopsTest, ipv6_row_has_the_source_that_the_kernel_would_choose) {
  ASSERT_TRUE(shell("ip addr add 2001:db8::1/64 dev eth0 nodad"));
  ASSERT_TRUE(in_peer("ip addr add 2001:db8::2/64 dev peer0 nodad"));
  const auto row = next_hops_->acquire(*model::parse_address("2001:db8::2"));
  ASSERT_TRUE(row);
  EXPECT_TRUE(settles([&] { return leaves_from(*row, "2001:db8::1"); })) << words_;
}

TEST_F(NextHopsTest, links_have_their_addresses_and_follow_them) {
  const auto eth0 = [this]() -> const control::Link& {
    for (const auto& [index, link] : next_hops_->links())
      if (link.name == "eth0") return link;
    std::abort();
  };
  EXPECT_EQ(eth0().ipv4, model::parse_address("10.9.0.1"));
  std::vector<control::LinkEvent> told;
  ASSERT_TRUE(shell("ip addr add 2001:db8::1/64 dev eth0 nodad && ip addr del 10.9.0.1/24 dev eth0"));
  EXPECT_TRUE(comes_true([&] {
    EXPECT_TRUE(next_hops_->take_notifications([&](const control::LinkEvent& event) { told.push_back(event); }));
    return eth0().ipv6 == model::parse_address("2001:db8::1") && eth0().ipv4 == model::parse_address("10.9.0.100");
  }));
  ASSERT_FALSE(told.empty());
  EXPECT_EQ(told.back().link, eth0());
}

TEST_F(NextHopsTest, ipv6_server_is_resolved) {
  ASSERT_TRUE(shell("ip addr add 2001:db8::1/64 dev eth0 nodad"));
  ASSERT_TRUE(in_peer("ip addr add 2001:db8::2/64 dev peer0 nodad"));
  const auto row = next_hops_->acquire(*model::parse_address("2001:db8::2"));
  ASSERT_TRUE(row);
  EXPECT_TRUE(settles([&] { return is_resolved(*row); })) << words_;
}

TEST_F(NextHopsTest, permanent_neighbour_of_the_operator_is_used_and_stays_permanent) {
  ASSERT_TRUE(shell("ip neigh replace 10.9.0.50 lladdr 02:00:00:00:00:22 dev eth0 nud permanent"));
  start();
  const auto row = next_hops_->acquire(*model::parse_address("10.9.0.50"));
  ASSERT_TRUE(row);
  EXPECT_TRUE(goes_to(*row, second_mac)) << words_;
  next_hops_->release(*model::parse_address("10.9.0.50"));
  EXPECT_TRUE(shell("ip neigh show 10.9.0.50 dev eth0 | grep -q PERMANENT"));
}

TEST_F(NextHopsTest, released_neighbour_is_no_longer_managed) {
  ASSERT_TRUE(next_hops_->acquire(rs1));
  EXPECT_TRUE(comes_true([] { return shell("ip neigh show 10.9.0.2 dev eth0 | grep -q managed"); }));
  next_hops_->release(rs1);
  EXPECT_TRUE(comes_true([] { return shell("! ip neigh show 10.9.0.2 dev eth0 | grep -q managed"); }));
}

TEST_F(NextHopsTest, next_daemon_gives_a_server_the_row_that_its_packets_use) {
  const auto other = next_hops_->acquire(*model::parse_address("10.9.0.3"));
  const auto row = next_hops_->acquire(rs1);
  ASSERT_TRUE(other && row && settles([&] { return is_resolved(*row); })) << words_;
  RealServer& server = tables_.view().servers[4];
  server.family = Family::ipv4;
  std::memcpy(&server.address, rs1.bytes.data(), 4);
  server.route.next_hop = *row;

  start();
  EXPECT_TRUE(is_resolved(*row)) << "untouched by the start";
  EXPECT_NE(*next_hops_->acquire(*model::parse_address("10.9.0.77")), *row);
  EXPECT_EQ(*next_hops_->acquire(rs1), *row);
  EXPECT_TRUE(is_resolved(*row));
  next_hops_->forget_unclaimed();
  EXPECT_TRUE(is_resolved(*row));
}

}  // namespace
}  // namespace penstock::tests
