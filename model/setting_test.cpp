#include "model/setting.hpp"

#include <gtest/gtest.h>

#include <cerrno>

namespace penstock::model {
namespace {

TEST(setting, every_default_is_a_value_that_the_setting_can_have) {
  for (const SettingRule& rule : setting_rules()) {
    SCOPED_TRACE(rule.name);
    Settings settings;
    ASSERT_TRUE(change(settings, rule.name, rule.initial));
    EXPECT_TRUE(settings.empty()) << "a default is not stored";
    EXPECT_EQ(value_of(settings, rule), rule.initial);
    EXPECT_FALSE(rule.meaning.empty());
  }
}

TEST(setting, is_stored_only_while_it_differs_from_the_default) {
  Settings settings;
  ASSERT_TRUE(change(settings, "net.ipv4.vs.sloppy_tcp", " 1\n"));
  EXPECT_EQ(settings, (Settings{{"sloppy_tcp", "1"}}));
  EXPECT_EQ(number_of(settings, "sloppy_tcp"), 1U);
  ASSERT_TRUE(change(settings, "sloppy_tcp", "0"));
  EXPECT_TRUE(settings.empty());
  EXPECT_EQ(number_of(settings, "am_droprate"), 10U);
}

TEST(setting, of_two_numbers_keeps_the_one_that_is_left_out) {
  Settings settings;
  ASSERT_TRUE(change(settings, "sync_threshold", "7"));
  EXPECT_EQ(settings.at("sync_threshold"), "7\t50");
  ASSERT_TRUE(change(settings, "sync_threshold", "1 2 3"));
  EXPECT_EQ(settings.at("sync_threshold"), "1\t2");
  ASSERT_TRUE(change(settings, "sync_threshold", "5 0")) << "period 0 has no upper end";
  EXPECT_TRUE(change(settings, "sync_threshold", "3\t50"));
  EXPECT_TRUE(settings.empty());
}

struct Border {
  const char* name;
  const char* value;
  int errno_value;  // 0: taken
};

const Border borders[] = {
    {"secure_tcp", "3", 0},
    {"secure_tcp", "4", EINVAL},
    {"drop_packet", "-1", EINVAL},
    {"drop_entry", "4", EINVAL},
    {"am_droprate", "0", 0},
    {"sloppy_tcp", "2147483647", 0},
    {"sloppy_tcp", "2147483648", EINVAL},
    {"sloppy_tcp", "99999999999", EINVAL},
    {"sloppy_tcp", "", EINVAL},
    {"sloppy_tcp", "1 2", EINVAL},
    {"sloppy_tcp", "1x", EINVAL},
    {"sloppy_tcp", "on", EINVAL},
    {"sync_ports", "0", EINVAL},
    {"sync_ports", "1", 0},
    {"sync_ports", "3", EINVAL},
    {"sync_ports", "64", 0},
    {"sync_ports", "128", EINVAL},
    {"sync_version", "2", EINVAL},
    {"sync_retries", "4", EINVAL},
    {"lblc_expiration", "2147483", 0},
    {"lblc_expiration", "2147484", EINVAL},
    {"sync_threshold", "4 5", 0},
    {"sync_threshold", "5 5", EINVAL},
    {"sync_threshold", "", EINVAL},
    {"sync_threshold", "1 2147483648", EINVAL},
    {"toa_kind", "255", 0},
    {"toa_kind", "256", EINVAL},
    {"nosuch", "1", ENOENT},
    {"net.ipv4.vs.", "1", ENOENT},
    {"net.ipv4.sloppy_tcp", "1", ENOENT},
};

TEST(setting, has_the_bounds_of_the_kernel) {
  for (const Border& border : borders) {
    SCOPED_TRACE(std::string(border.name) + " = " + border.value);
    Settings settings = {{"pmtu_disc", "0"}};
    const Settings before = settings;
    const auto changed = change(settings, border.name, border.value);
    EXPECT_EQ(changed ? 0 : changed.error().errno_value, border.errno_value);
    if (!changed) {
      EXPECT_EQ(settings, before);
      EXPECT_NE(changed.error().message.find(border.name), std::string::npos) << changed.error().message;
    }
  }
}

}  // namespace
}  // namespace penstock::model
