#include "tests/golden/topology.hpp"

#include <gtest/gtest.h>

namespace penstock::golden {
namespace {

class TopologyTest : public testing::Test {
 protected:
  void SetUp() override {
    auto topology = load_topology(PENSTOCK_SOURCE_DIR "/tests/golden/topology.json");
    ASSERT_TRUE(topology) << topology.error().message;
    topology_ = std::move(*topology);
  }

  [[nodiscard]] int last_byte_of_hop(const char* address) const {
    const auto hop = topology_.hop(*model::parse_address(address));
    return hop ? hop->destination.back() : -1;
  }

  Topology topology_;
};

TEST_F(TopologyTest, neighbours_are_reached_directly_and_others_by_the_longest_route) {
  EXPECT_EQ(last_byte_of_hop("10.2.0.11"), 0x0b);
  EXPECT_EQ(last_byte_of_hop("fd00:2::12"), 0x0c);
  EXPECT_EQ(last_byte_of_hop("10.3.0.21"), 0xfe);
  EXPECT_EQ(topology_.hop(*model::parse_address("10.3.0.21"))->interface, Interface::eth1);
  EXPECT_EQ(topology_.hop(*model::parse_address("198.51.100.1"))->interface, Interface::eth0);
  EXPECT_EQ(topology_.hop(*model::parse_address("2001:db8::1"))->interface, Interface::eth0);
  EXPECT_EQ(last_byte_of_hop("10.1.0.99"), -1);  // on the link, but nobody's
}

TEST_F(TopologyTest, vips_own_addresses_and_local_routes_are_local) {
  for (const char* address : {"10.1.0.1", "10.2.0.1", "10.1.0.100", "fd00:1::101", "203.0.113.9", "fd00:113::6"}) {
    EXPECT_TRUE(topology_.is_local(*model::parse_address(address))) << address;
  }
  for (const char* address : {"10.1.0.2", "10.2.0.11", "203.0.114.1", "fd00:1::102"}) {
    EXPECT_FALSE(topology_.is_local(*model::parse_address(address))) << address;
  }
}

TEST_F(TopologyTest, a_frame_belongs_to_the_interface_of_its_source) {
  EXPECT_EQ(topology_.interface_of({2, 0, 0, 0, 1, 1}), Interface::eth0);
  EXPECT_EQ(topology_.interface_of({2, 0, 0, 0, 2, 1}), Interface::eth1);
  EXPECT_EQ(topology_.interface_of({2, 0, 0, 0, 2, 2}), std::nullopt);
}

TEST(Contains, decides_by_the_last_bit_of_the_prefix) {
  const Prefix prefix{*model::parse_address("10.2.0.128"), 25};
  EXPECT_TRUE(contains(prefix, *model::parse_address("10.2.0.255")));
  EXPECT_FALSE(contains(prefix, *model::parse_address("10.2.0.127")));
  EXPECT_FALSE(contains(prefix, *model::parse_address("::")));
}

}  // namespace
}  // namespace penstock::golden
