#include "agent/report.hpp"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace penstock::agent {
namespace {

const std::vector<Standing> standing{
    {.setting = {Kind::sysctl, "net.ipv4.conf.all.arp_ignore"}, .wanted = "1", .current = "1", .is_right = true},
    {.setting = {Kind::address, "192.0.2.40"}, .wanted = present, .current = absent, .is_right = false}};

TEST(Report, has_a_line_for_each_setting) {
  EXPECT_EQ(status_text("direct: 192.0.2.40", standing),
            "real server: direct: 192.0.2.40\n"
            "ok       net.ipv4.conf.all.arp_ignore: 1\n"
            "MISSING  address 192.0.2.40 on lo: absent, to be present\n");
}

TEST(Report, is_all_right_only_if_each_setting_is) {
  EXPECT_FALSE(is_all_right(standing));
  EXPECT_TRUE(is_all_right(std::span(standing).first(1)));
}

TEST(Report, says_the_same_as_json) {
  const auto whole = nlohmann::json::parse(status_json("direct: 192.0.2.40", standing));
  EXPECT_EQ(whole["purpose"], "direct: 192.0.2.40");
  EXPECT_EQ(whole["in_place"], false);
  EXPECT_EQ(whole["settings"].size(), 2U);
  EXPECT_EQ(whole["settings"][1], nlohmann::json({{"kind", "address"},
                                                  {"name", "192.0.2.40"},
                                                  {"wanted", "present"},
                                                  {"current", "absent"},
                                                  {"in_place", false}}));
}

}  // namespace
}  // namespace penstock::agent
