#include "control/mark_table.hpp"

#include <gtest/gtest.h>

#include <memory>

#include "control/images.hpp"
#include "datapath/core/mark.hpp"

namespace penstock::control {
namespace {

struct World {
  MarkRules table{};
  Settings live{};
};

struct Flow {
  const char* source;
  u16 source_port;
  const char* destination;
  u16 port;
  u8 protocol = 6;
};

FlowKey key_of_flow(const Flow& flow) {
  const auto source = *model::parse_address(flow.source);
  return {.client = image_of(source),
          .vip = image_of(*model::parse_address(flow.destination)),
          .client_port = big(flow.source_port),
          .vip_port = big(flow.port),
          .protocol = flow.protocol,
          .family = image_of(source.family),
          .role = Role::request};
}

class mark_table : public testing::Test {
 protected:
  void write(const std::vector<model::MarkRule>& rules) { write_mark_rules(made->table, made->live, rules); }
  // By the packet path's own code.
  u32 mark_of(const Flow& flow) {
    u32 mark = 0;
    for (u32 i = 0; i < made->live.mark_rules; ++i)
      if (matches(made->table.rules[i], key_of_flow(flow))) mark = made->table.rules[i].mark;
    return mark;
  }

  std::unique_ptr<World> made = std::make_unique<World>();
};

model::MarkRule rule(std::uint32_t mark, const char* destination, std::vector<model::PortRange> ports = {}) {
  model::MarkRule made;
  made.protocol = model::Protocol::tcp;
  made.destination = *model::parse_prefix(destination);
  made.family = made.destination.address.family;
  made.source = model::any_address(made.family);
  made.destination_ports = std::move(ports);
  made.mark = mark;
  return made;
}

TEST_F(mark_table, marks_what_the_rules_mean_and_nothing_else) {
  model::MarkRule narrow = rule(7, "203.0.113.0/25", {{80, 80}, {8000, 8080}});
  narrow.source = *model::parse_prefix("198.51.100.0/24");
  narrow.source_ports = {{1024, 65535}};
  write({narrow});
  EXPECT_EQ(mark_of({"198.51.100.1", 1024, "203.0.113.127", 80}), 7U);
  EXPECT_EQ(mark_of({"198.51.100.1", 65535, "203.0.113.0", 8080}), 7U);
  EXPECT_EQ(mark_of({"198.51.100.1", 1023, "203.0.113.1", 80}), 0U);
  EXPECT_EQ(mark_of({"198.51.101.1", 1024, "203.0.113.1", 80}), 0U);
  EXPECT_EQ(mark_of({"198.51.100.1", 1024, "203.0.113.128", 80}), 0U);
  EXPECT_EQ(mark_of({"198.51.100.1", 1024, "203.0.113.1", 81}), 0U);
  EXPECT_EQ(mark_of({"198.51.100.1", 1024, "203.0.113.1", 7999}), 0U);
  EXPECT_EQ(mark_of({"198.51.100.1", 1024, "203.0.113.1", 8081}), 0U);
  EXPECT_EQ(mark_of({"198.51.100.1", 1024, "203.0.113.1", 80, 17}), 0U);
}

TEST_F(mark_table, the_last_rule_that_matches_counts) {
  write({rule(1, "203.0.113.0/24"), rule(2, "203.0.113.128/25"), rule(0, "203.0.113.255")});
  EXPECT_EQ(mark_of({"10.0.0.1", 1, "203.0.113.1", 80}), 1U);
  EXPECT_EQ(mark_of({"10.0.0.1", 1, "203.0.113.200", 80}), 2U);
  EXPECT_EQ(mark_of({"10.0.0.1", 1, "203.0.113.255", 80}), 0U);
}

TEST_F(mark_table, families_do_not_meet) {
  model::MarkRule everything;
  everything.mark = 4;
  model::MarkRule everything6 = everything;
  everything6.family = model::Family::ipv6;
  everything6.source = everything6.destination = model::any_address(model::Family::ipv6);
  everything6.mark = 6;
  write({everything, everything6, rule(66, "2001:db8::/33")});
  EXPECT_EQ(mark_of({"10.0.0.1", 1, "203.0.113.1", 80, 17}), 4U);
  EXPECT_EQ(mark_of({"2001:db8::9", 1, "2001:db9::1", 80, 132}), 6U);
  EXPECT_EQ(mark_of({"2001:db8::9", 1, "2001:db8:7fff::1", 80}), 66U);
  EXPECT_EQ(mark_of({"2001:db8::9", 1, "2001:db8:8000::1", 80}), 6U);
}

TEST_F(mark_table, a_rule_that_stays_keeps_its_row) {
  write({rule(1, "203.0.113.1"), rule(2, "203.0.113.2"), rule(3, "203.0.113.3")});
  write({rule(1, "203.0.113.1"), rule(3, "203.0.113.3"), rule(4, "203.0.113.4")});
  EXPECT_EQ(made->table.rules[2].mark, 3U);
  EXPECT_EQ(made->live.mark_rules, 4U) << "the removed one's row is inert";
  EXPECT_EQ(mark_of({"10.0.0.1", 1, "203.0.113.2", 80}), 0U);
  EXPECT_EQ(mark_of({"10.0.0.1", 1, "203.0.113.3", 80}), 3U);
  EXPECT_EQ(mark_of({"10.0.0.1", 1, "203.0.113.4", 80}), 4U);
  write({});
  EXPECT_EQ(made->live.mark_rules, 0U);
  EXPECT_EQ(mark_of({"10.0.0.1", 1, "203.0.113.4", 80}), 0U);
}

TEST_F(mark_table, holds_the_most_rules_there_may_be_however_often_they_change) {
  std::vector<model::MarkRule> rules;
  for (u32 i = 0; i < mark_rules_max; ++i)
    rules.push_back(rule(i + 1, "203.0.113.0/24", {{static_cast<u16>(i), static_cast<u16>(i)}}));
  write(rules);
  for (u32 round = 0; round < 3 * mark_rules_max; ++round) {
    const model::MarkRule moved = rules[round % 7];
    rules.erase(rules.begin() + round % 7);
    write(rules);
    EXPECT_EQ(mark_of({"10.0.0.1", 1, "203.0.113.1", moved.destination_ports[0].first}), 0U);
    rules.push_back(moved);
    write(rules);
    ASSERT_LE(made->live.mark_rules, mark_rules_max);
    for (u32 i = 0; i < mark_rules_max; ++i)
      ASSERT_EQ(mark_of({"10.0.0.1", 1, "203.0.113.1", static_cast<u16>(i)}), i + 1) << round;
  }
}

TEST_F(mark_table, an_order_that_changes_is_followed) {
  write({rule(1, "203.0.113.0/24"), rule(2, "203.0.113.0/25")});
  write({rule(2, "203.0.113.0/25"), rule(1, "203.0.113.0/24")});
  EXPECT_EQ(mark_of({"10.0.0.1", 1, "203.0.113.1", 80}), 1U);
}

bool is_marked(const VipFilter& filter, const char* address) {
  const auto parsed = *model::parse_address(address);
  const u32 bit = static_cast<u16>(image_of(parsed).low);
  return (filter.marked[parsed.family == model::Family::ipv6][bit / 64] >> (bit % 64) & 1) != 0;
}

TEST(mark_filter, has_the_destinations_that_rules_may_mean) {
  const auto filter = std::make_unique<VipFilter>();
  add_mark_rules(*filter, {rule(1, "203.0.113.0/24"), rule(1, "10.64.0.0/10"), rule(1, "2001:db8::/32")});
  EXPECT_TRUE(is_marked(*filter, "203.0.113.9"));
  EXPECT_FALSE(is_marked(*filter, "203.1.113.9"));
  EXPECT_FALSE(is_marked(*filter, "10.63.255.255"));
  EXPECT_TRUE(is_marked(*filter, "10.64.0.0"));
  EXPECT_TRUE(is_marked(*filter, "10.127.255.255"));
  EXPECT_FALSE(is_marked(*filter, "10.128.0.0"));
  EXPECT_TRUE(is_marked(*filter, "2001:db8::1"));
  EXPECT_FALSE(is_marked(*filter, "2002:db8::1"));
  add_mark_rules(*filter, {rule(1, "::/0")});
  EXPECT_TRUE(is_marked(*filter, "ffff::1"));
  EXPECT_FALSE(is_marked(*filter, "255.255.0.0"));
}

}  // namespace
}  // namespace penstock::control
