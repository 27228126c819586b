#include "model/mark_rule.hpp"

#include <gtest/gtest.h>

#include <cerrno>

namespace penstock::model {
namespace {

MarkRule web() {
  MarkRule rule;
  rule.protocol = Protocol::tcp;
  rule.destination = *parse_prefix("203.0.113.0/24");
  rule.destination_ports = {{80, 80}, {443, 443}, {8000, 8080}};
  rule.mark = 5;
  return rule;
}

TEST(mark_rule, reads_as_it_is_typed) {
  EXPECT_EQ(to_string(web()), "5 --protocol tcp --destination 203.0.113.0/24 --ports 80,443,8000:8080");
  MarkRule all;
  all.mark = 4294967295U;
  EXPECT_EQ(to_string(all), "4294967295");
  all.family = Family::ipv6;
  all.source = all.destination = any_address(Family::ipv6);
  EXPECT_EQ(to_string(all), "4294967295 --ipv6");
  all.source = *parse_prefix("2001:db8::/32");
  all.protocol = Protocol::sctp;
  all.source_ports = {{1024, 65535}};
  EXPECT_EQ(to_string(all), "4294967295 --protocol sctp --source 2001:db8::/32 --source-ports 1024:65535");
}

TEST(mark_rule, ports_are_read_as_in_multiport) {
  EXPECT_EQ(to_string(*parse_port_ranges("80,443,8000:8080")), "80,443,8000:8080");
  EXPECT_EQ(to_string(*parse_port_ranges("0:65535")), "0:65535");
  EXPECT_EQ(to_string(*parse_port_ranges("7:7")), "7");
  for (const char* text : {"", ",", "80,", ",80", "80:", ":80", "65536", "-1", "http", "80 ", "80;443", "1:2:3"})
    EXPECT_FALSE(parse_port_ranges(text)) << text;
}

struct Border {
  const char* name;
  void (*change)(MarkRule&);
  const char* says;  // "": it is taken
};

const Border borders[] = {
    {"as it is", [](MarkRule&) {}, ""},
    {"no mark", [](MarkRule& rule) { rule.mark = 0; }, ""},
    {"15 ranges", [](MarkRule& rule) { rule.destination_ports.resize(15); }, ""},
    {"16 ranges", [](MarkRule& rule) { rule.destination_ports.resize(16); }, "more than 15 ranges of ports"},
    {"16 source ranges", [](MarkRule& rule) { rule.source_ports.resize(16); }, "more than 15 ranges of ports"},
    {"backwards", [](MarkRule& rule) { rule.source_ports = {{9, 8}}; }, "ports 9:8 end before they begin"},
    {"ports of any protocol", [](MarkRule& rule) { rule.protocol.reset(); }, "ports need a protocol"},
    {"source ports of any protocol",
     [](MarkRule& rule) {
       rule.protocol.reset();
       rule.destination_ports.clear();
       rule.source_ports = {{1, 1}};
     },
     "ports need a protocol"},
    {"two families", [](MarkRule& rule) { rule.source = *parse_prefix("2001:db8::/32"); },
     "different address families"},
    {"a family of its own", [](MarkRule& rule) { rule.family = Family::ipv6; }, "different address families"},
};

TEST(mark_rule, is_checked_on_both_sides_of_each_border) {
  for (const Border& border : borders) {
    SCOPED_TRACE(border.name);
    MarkRule rule = web();
    border.change(rule);
    const auto checked = check(rule);
    const std::string says = border.says;
    ASSERT_EQ(checked.has_value(), says.empty());
    if (checked) continue;
    EXPECT_EQ(checked.error().errno_value, EINVAL);
    EXPECT_NE(checked.error().message.find(says), std::string::npos) << checked.error().message;
  }
}

}  // namespace
}  // namespace penstock::model
