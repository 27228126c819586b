#include "doctor/look/firewall.hpp"

#include <gtest/gtest.h>

namespace penstock::doctor {
namespace {

// As nft 1.0.6 lists it.
constexpr const char* ruleset = R"({"nftables": [
  {"metainfo": {"version": "1.0.6", "release_name": "Lester Gooch #5", "json_schema_version": 1}},
  {"table": {"family": "inet", "name": "lab", "handle": 1}},
  {"chain": {"family": "inet", "table": "lab", "name": "input", "handle": 1, "type": "filter", "hook": "input", "prio": 0, "policy": "accept"}},
  {"rule": {"family": "inet", "table": "lab", "chain": "input", "handle": 2, "expr": [
    {"match": {"op": "==", "left": {"payload": {"protocol": "ip", "field": "daddr"}}, "right": "172.16.0.40"}},
    {"match": {"op": "==", "left": {"payload": {"protocol": "tcp", "field": "dport"}}, "right": 80}},
    {"drop": null}]}},
  {"rule": {"family": "inet", "table": "lab", "chain": "input", "handle": 3, "expr": [
    {"match": {"op": "==", "left": {"payload": {"protocol": "ip6", "field": "daddr"}}, "right": {"prefix": {"addr": "fd00:ac10::", "len": 64}}}},
    {"reject": {"type": "icmpv6", "expr": "port-unreachable"}}]}},
  {"rule": {"family": "inet", "table": "lab", "chain": "input", "handle": 4, "expr": [
    {"match": {"op": "==", "left": {"payload": {"protocol": "ip", "field": "daddr"}}, "right": "172.16.0.41"}},
    {"accept": null}]}},
  {"rule": {"family": "inet", "table": "lab", "chain": "input", "handle": 5, "expr": [
    {"match": {"op": "!=", "left": {"payload": {"protocol": "ip", "field": "daddr"}}, "right": "172.16.0.42"}},
    {"drop": null}]}},
  {"rule": {"family": "inet", "table": "lab", "chain": "input", "handle": 6, "expr": [
    {"match": {"op": "==", "left": {"payload": {"protocol": "ip", "field": "saddr"}}, "right": "172.16.0.43"}},
    {"drop": null}]}}
]})";

TEST(Firewall, rules_that_name_a_destination) {
  const Firewall firewall = parse_firewall(ruleset);
  ASSERT_EQ(firewall.rules.size(), 3U);
  EXPECT_EQ(firewall.rules[0].chain, "inet lab input");
  EXPECT_EQ(to_string(firewall.rules[0].destination), to_string(model::parse_prefix("172.16.0.40/32").value()));
  EXPECT_TRUE(firewall.rules[0].drops);
  EXPECT_EQ(to_string(firewall.rules[1].destination), "fd00:ac10::/64");
  EXPECT_TRUE(firewall.rules[1].drops);
  EXPECT_FALSE(firewall.rules[2].drops);
  EXPECT_FALSE(firewall.clamps_mss);
}

TEST(Firewall, a_rule_that_lowers_the_mss) {
  const Firewall firewall =
      parse_firewall(R"({"nftables": [{"rule": {"family": "ip", "table": "mangle", "chain": "OUTPUT",
    "expr": [{"mangle": {"key": {"tcp option": {"name": "maxseg", "field": "size"}}, "value": 1400}}]}}]})");
  EXPECT_TRUE(firewall.clamps_mss);
  EXPECT_TRUE(firewall.rules.empty());
}

TEST(Firewall, iptables_lowers_the_mss_by_an_extension) {
  EXPECT_TRUE(parse_firewall(R"({"nftables": [{"rule": {"family": "ip", "table": "mangle", "chain": "OUTPUT",
    "expr": [{"xt": {"type": "target", "name": "TCPMSS"}}]}}]})")
                  .clamps_mss);
}

TEST(Firewall, what_is_no_ruleset_gives_nothing) {
  for (const char* text :
       {"", "nft: command not found", "[]", "{}", R"({"nftables": {}})", R"({"nftables": [1, {"rule": 2}]})",
        R"({"nftables": [{"rule": {"expr": [{"match": {"op": "==", "left": {"payload": {"field": "daddr"}},
                              "right": {"prefix": {"addr": 1, "len": -3}}}}]}}]})"}) {
    const Firewall firewall = parse_firewall(text);
    EXPECT_TRUE(firewall.rules.empty()) << text;
    EXPECT_FALSE(firewall.clamps_mss) << text;
  }
}

}  // namespace
}  // namespace penstock::doctor
