#include "control/options.hpp"

#include <gmock/gmock.h>

namespace penstock::control {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

Result<Options> parse(std::initializer_list<const char*> arguments) {
  return parse_options(std::span(arguments.begin(), arguments.size()));
}

TEST(Options, without_any_serves_all_interfaces_with_the_default_sizes) {
  const auto options = parse({});
  ASSERT_TRUE(options);
  EXPECT_EQ(options->action, Options::Action::serve);
  EXPECT_TRUE(options->interfaces.names.empty());
  EXPECT_EQ(options->interfaces.mode, ModeChoice::automatic);
  EXPECT_EQ(options->sizes, Sizes{});
  EXPECT_FALSE(options->socket_group);
}

TEST(Options, values_come_after_a_space_or_an_equals_sign) {
  const auto options =
      parse({"--interface", "eth0", "--interface=eth1", "--mode=tc", "--connections-bytes", "128M", "--services-max",
             "8", "--servers-max=64K", "--schedule-cells", "1024", "--socket-group=adm", "--bpffs", "/b"});
  ASSERT_TRUE(options) << options.error().message;
  EXPECT_THAT(options->interfaces.names, ElementsAre("eth0", "eth1"));
  EXPECT_EQ(options->interfaces.mode, ModeChoice::tc);
  EXPECT_EQ(
      options->sizes,
      (Sizes{.connections_bytes = u64{128} << 20, .services_max = 8, .servers_max = 65536, .schedule_cells = 1024}));
  EXPECT_EQ(options->socket_group, "adm");
  EXPECT_EQ(options->bpffs, "/b");
}

TEST(Options, actions) {
  EXPECT_EQ(parse({"--unload"})->action, Options::Action::unload);
  EXPECT_EQ(parse({"-h"})->action, Options::Action::help);
  EXPECT_EQ(parse({"--help"})->action, Options::Action::help);
  EXPECT_EQ(parse({"--version"})->action, Options::Action::version);
  EXPECT_EQ(parse({"--foreground"})->action, Options::Action::serve);
}

TEST(Options, mistakes_are_named) {
  struct Case {
    std::initializer_list<const char*> arguments;
    const char* words;
  };
  const Case cases[] = {
      {{"--fast"}, "--fast is no option"},
      {{"--half-open-bytes", "64M"}, "--half-open-bytes is no option"},
      {{"eth0"}, "eth0 is no option"},
      {{""}, " is no option"},
      {{"--interface"}, "--interface wants a value"},
      {{"--unload=yes"}, "--unload takes no value"},
      {{"--mode", "best"}, "--mode: \"best\" is not auto, native, tc or generic"},
      {{"--connections-bytes", "64X"}, "--connections-bytes: \"64X\" is not a size"},
      {{"--connections-bytes="}, "\"\" is not a size"},
      {{"--servers-max", "-1"}, "\"-1\" is not a size"},
  };
  for (const auto& [arguments, words] : cases) {
    const auto options = parse(arguments);
    ASSERT_FALSE(options) << words;
    EXPECT_THAT(options.error().message, HasSubstr(words));
  }
}

TEST(ParseSize, units_are_powers_of_1024_and_nothing_overflows) {
  EXPECT_EQ(parse_size("0"), 0U);
  EXPECT_EQ(parse_size("65536"), 65536U);
  EXPECT_EQ(parse_size("3K"), 3072U);
  EXPECT_EQ(parse_size("18446744073709551615"), ~u64{0});
  EXPECT_EQ(parse_size("17179869183G"), u64{17179869183} << 30);
  for (const char* refused : {"", "M", " 1", "1 M", "1MB", "1k", "18446744073709551616", "17179869184G", "1.5G"})
    EXPECT_FALSE(parse_size(refused)) << refused;
}

// Every option that the parser knows is in the help, and every option in the help is known.
TEST(Options, help_and_parser_agree) {
  for (const char* name :
       {"--interface", "--mode", "--connections-bytes", "--services-max", "--servers-max", "--schedule-cells",
        "--socket-group", "--bpffs", "--foreground", "--unload", "--help", "--version"})
    EXPECT_THAT(std::string(help_text()), HasSubstr(name));
  std::string text(help_text());
  for (std::size_t at = text.find("\n  --"); at != std::string::npos; at = text.find("\n  --", at + 1)) {
    const std::string name = text.substr(at + 3, text.find_first_of(" ,\n", at + 3) - at - 3);
    const auto options = parse({name.c_str(), "auto"});
    const std::string words = options ? "" : options.error().message;
    EXPECT_EQ(words.find(name + " is no option"), std::string::npos) << words;
  }
}

TEST(IsChosen, usual_interfaces_are_ethernet_up_and_on_their_own) {
  const Link usual{.index = 2, .name = "eth0", .kind = "", .is_up = true, .is_ethernet = true, .mtu = 1500};
  const auto changed = [&](auto change) {
    Link link = usual;
    change(link);
    return is_chosen({}, link);
  };
  EXPECT_TRUE(is_chosen({}, usual));
  EXPECT_FALSE(changed([](Link& link) { link.is_up = false; }));
  EXPECT_FALSE(changed([](Link& link) { link.is_ethernet = false; }));
  EXPECT_FALSE(changed([](Link& link) { link.is_loopback = true; }));
  EXPECT_FALSE(changed([](Link& link) { link.is_enslaved = true; }));
  Link down = usual;
  down.is_up = false;
  EXPECT_TRUE(is_chosen({.names = {"eth0"}}, down)) << "a name is an order";
  EXPECT_FALSE(is_chosen({.names = {"eth1"}}, usual));
}

}  // namespace
}  // namespace penstock::control
