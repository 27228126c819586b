#include "tests/golden/mark_chain.hpp"

#include <gtest/gtest.h>

#include "tests/golden/command.hpp"

namespace penstock::golden {
namespace {

Result<void> run(MarkChain& chain, const std::string& line) { return chain.run(split_command(line)); }

std::vector<std::string> after(const std::vector<std::string>& lines) {
  MarkChain chain;
  for (const auto& line : lines) {
    const auto done = run(chain, line);
    EXPECT_TRUE(done) << line << ": " << done.error().message;
  }
  std::vector<std::string> rules;
  for (const auto& rule : chain.rules()) rules.push_back(to_string(rule));
  return rules;
}

using Rules = std::vector<std::string>;

TEST(MarkChain, reads_the_recordings_lines) {
  EXPECT_EQ(
      after({"iptables-legacy -t mangle -A PREROUTING -d 203.0.113.0/24 -p tcp -m multiport --dports 80,443 -j MARK "
             "--set-mark 1"}),
      Rules{"1 --protocol tcp --destination 203.0.113.0/24 --ports 80,443"});
  EXPECT_EQ(after({"ip6tables-legacy -t mangle -A PREROUTING -d fd00:113::/64 -p udp --dport 53 -j MARK --set-mark 1"}),
            Rules{"1 --protocol udp --destination fd00:113::/64 --ports 53"});
  EXPECT_EQ(after({"iptables-legacy -t mangle -A PREROUTING -i eth0 -p tcp --dport 80 -j MARK --set-mark 4"}),
            Rules{"4 --protocol tcp --ports 80"});
  EXPECT_TRUE(
      after({"ip6tables-legacy -t mangle -A PREROUTING -m conntrack --ctstate INVALID -j MARK --set-mark 0"}).empty());
}

TEST(MarkChain, knows_other_spellings) {
  const Rules rule{"255 --protocol udp --source 198.51.100.7 --source-ports 1024:65535 --ports 0:53"};
  EXPECT_EQ(
      after({"iptables -w -t mangle -A PREROUTING -p udp -m udp -s 198.51.100.7 --sport 1024: --dport :53 -j MARK "
             "--set-xmark 0xff/0xffffffff"}),
      rule);
  EXPECT_EQ(
      after({"iptables-nft --table mangle --append PREROUTING --protocol 17 --source 198.51.100.7/32 --source-port "
             "1024:65535 --destination-port 0:53 --jump MARK --set-mark 0xff/0xff"}),
      rule);
}

// AH and ESP have no name in the model, but a number.
TEST(MarkChain, takes_protocols_by_name_and_number) {
  MarkChain chain;
  ASSERT_TRUE(run(chain, "iptables -t mangle -A PREROUTING -d 10.1.0.100 -p esp -j MARK --set-mark 5"));
  ASSERT_TRUE(run(chain, "iptables -t mangle -A PREROUTING -d 10.1.0.100 -p 51 -j MARK --set-mark 5"));
  ASSERT_TRUE(run(chain, "iptables -t mangle -A PREROUTING -d 10.1.0.100 -p all -j MARK --set-mark 6"));
  const auto rules = chain.rules();
  ASSERT_EQ(rules.size(), 3U);
  EXPECT_EQ(static_cast<int>(*rules[0].protocol), 50);
  EXPECT_EQ(static_cast<int>(*rules[1].protocol), 51);
  EXPECT_FALSE(rules[2].protocol);
}

std::string rule_line(const std::string& how, int mark) {
  return "iptables -t mangle " + how + " -p tcp --dport 80 -j MARK --set-mark " + std::to_string(mark);
}

std::string rule_text(int mark) { return std::to_string(mark) + " --protocol tcp --ports 80"; }

TEST(MarkChain, inserts_deletes_and_flushes) {
  const Rules first_two = {rule_line("-A PREROUTING", 1), rule_line("-A PREROUTING", 2)};
  const auto then = [&](const std::string& line) {
    Rules lines = first_two;
    lines.push_back(line);
    return after(lines);
  };
  EXPECT_EQ(then(rule_line("-I PREROUTING", 3)), (Rules{rule_text(3), rule_text(1), rule_text(2)}));
  EXPECT_EQ(then(rule_line("-I PREROUTING 2", 3)), (Rules{rule_text(1), rule_text(3), rule_text(2)}));
  EXPECT_EQ(then(rule_line("-I PREROUTING 3", 3)), (Rules{rule_text(1), rule_text(2), rule_text(3)}));
  EXPECT_EQ(then(rule_line("-D PREROUTING", 1)), Rules{rule_text(2)});
  EXPECT_EQ(then("iptables -t mangle -D PREROUTING 2"), Rules{rule_text(1)});
  EXPECT_EQ(then("iptables -t mangle -F PREROUTING"), Rules{});
  EXPECT_EQ(then("iptables -t mangle -F"), Rules{});
  EXPECT_EQ(then("ip6tables -t mangle -F"), (Rules{rule_text(1), rule_text(2)}));
}

TEST(MarkChain, refuses_what_mark_rules_cannot_say) {
  for (const char* line : {
           "iptables -A PREROUTING -p tcp -j MARK --set-mark 1",                                // table filter
           "iptables -t mangle -A OUTPUT -p tcp -j MARK --set-mark 1",                          // another chain
           "iptables -t mangle -A PREROUTING -p tcp -j ACCEPT",                                 // no mark
           "iptables -t mangle -A PREROUTING ! -s 198.51.100.1 -j MARK --set-mark 1",           // negation
           "iptables -t mangle -A PREROUTING -m mark --mark 1 -j MARK --set-mark 2",            // by mark
           "iptables -t mangle -A PREROUTING -m conntrack --ctstate NEW -j MARK --set-mark 1",  // by connection
           "iptables -t mangle -A PREROUTING -d fd00::1 -j MARK --set-mark 1",                  // another family
           "iptables -t mangle -A PREROUTING -p tcp --dport 80 -j MARK --set-mark",             // cut off
           "iptables -t mangle -A PREROUTING -p tcp --dport http -j MARK --set-mark 1",         // a name
           "iptables -t mangle -A PREROUTING -p tcp -j MARK --set-mark 0x100/0xff",  // a bit outside the mask
           "iptables -t mangle -I PREROUTING 2 -p tcp -j MARK --set-mark 1",         // behind the end
           "iptables -t mangle -D PREROUTING 1",
       }) {
    MarkChain chain;
    const auto done = run(chain, line);
    ASSERT_FALSE(done) << line;
    EXPECT_EQ(done.error().code, ErrorCode::unsupported) << line;
  }
}

}  // namespace
}  // namespace penstock::golden
