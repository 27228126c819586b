#include "doctor/options.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace penstock::doctor {
namespace {

model::Address at(const char* text) { return model::parse_address(text).value(); }

TEST(Options, nothing_is_needed) {
  const auto options = parse_options({});
  ASSERT_TRUE(options);
  EXPECT_FALSE(options->role);
  EXPECT_FALSE(options->method);
  EXPECT_EQ(options->time, std::chrono::seconds(1));
}

TEST(Options, addresses_go_on_until_the_next_option) {
  const auto options =
      parse_options({"--vip", "192.0.2.1", "2001:db8::1", "--method", "tunnel", "--vip", "192.0.2.2", "--json"});
  ASSERT_TRUE(options);
  EXPECT_THAT(options->vips, testing::ElementsAre(at("192.0.2.1"), at("2001:db8::1"), at("192.0.2.2")));
  EXPECT_EQ(options->method, model::Method::tunnel);
  EXPECT_TRUE(options->as_json);
}

struct Misuse {
  const char* name;
  std::vector<std::string> words;
  const char* complaint;
};

const Misuse misuses[] = {
    {"unknown", {"--vips"}, "--vips: unknown option"},
    {"no_address", {"--vip", "--json"}, "--vip: an address is missing"},
    {"not_an_address", {"--director", "10.0.0.1", "rs1"}, "--director: \"rs1\" is not an IP address"},
    {"no_value", {"--role"}, "--role: a value is missing"},
    {"no_role", {"--role", "router"}, "--role: \"router\" is not director or realserver"},
    {"no_method", {"--method", "local"}, "--method: \"local\" is not direct, tunnel, nat or fullnat"},
    {"too_long", {"--seconds", "3601"}, "--seconds: \"3601\" is not a number of seconds up to 3600"},
    {"negative", {"--seconds", "-1"}, "--seconds: \"-1\" is not a number of seconds up to 3600"},
    {"of_a_real_server",
     {"--role", "director", "--vip", "192.0.2.1"},
     "--method, --vip and --director are for real servers"},
    {"two_clients", {"--client", "192.0.2.1", "192.0.2.2"}, "--client takes one address of each family"},
};

class OptionsMisuse : public testing::TestWithParam<Misuse> {};

TEST_P(OptionsMisuse, is_refused) {
  const auto options = parse_options(GetParam().words);
  ASSERT_FALSE(options);
  EXPECT_EQ(options.error().message, GetParam().complaint);
}

INSTANTIATE_TEST_SUITE_P(All, OptionsMisuse, testing::ValuesIn(misuses),
                         [](const auto& tested) { return std::string(tested.param.name); });

}  // namespace
}  // namespace penstock::doctor
