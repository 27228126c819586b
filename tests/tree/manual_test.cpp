// The manual pages name what the programs' own help names: no option is missing from them, and none is there that no program has.
#include <gtest/gtest.h>

#include <fstream>
#include <regex>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "agent/options.hpp"
#include "cli/penstock.hpp"
#include "control/options.hpp"
#include "doctor/options.hpp"

namespace penstock::tree {
namespace {

using Words = std::set<std::string>;

// Without roff's fonts, and with its minus as one.
std::string manual(const std::string& page) {
  std::ifstream file(std::string(PENSTOCK_SOURCE_DIR "/docs/man/") + page);
  EXPECT_TRUE(file) << page;
  std::stringstream text;
  text << file.rdbuf();
  const std::string plain = std::regex_replace(text.str(), std::regex(R"(\\f[BIRP])"), "");
  return std::regex_replace(plain, std::regex(R"(\\-)"), "-");
}

Words options_in(const std::string& text) {
  static const std::regex option("--[a-z][a-z-]*");
  return {std::sregex_token_iterator(text.begin(), text.end(), option), std::sregex_token_iterator()};
}

// What `penstock …` prints; asking for help needs no director.
std::string said(std::vector<std::string> words) {
  words.insert(words.begin(), "penstock");
  std::ostringstream out;
  const auto nobody = []() -> Result<api::Director*> { return fail(ErrorCode::unavailable, "no director"); };
  EXPECT_EQ(cli::run_penstock(words, out, out, nobody), 0);
  return out.str();
}

// The commands that the general help lists, one a line.
Words commands_in(const std::string& help) {
  static const std::regex command("\n  ([a-z]+) ");
  return {std::sregex_token_iterator(help.begin(), help.end(), command, 1), std::sregex_token_iterator()};
}

TEST(Manual, penstock_8_has_every_command) {
  const std::string page = manual("penstock.8");
  const Words commands = commands_in(said({"help"}));
  EXPECT_GE(commands.size(), 6U);
  for (const std::string& command : commands)
    EXPECT_NE(page.find("\npenstock " + command), std::string::npos) << command;
}

TEST(Manual, penstock_8_has_the_options_of_its_commands_and_no_others) {
  std::string help;
  for (const char* command : {"status", "mark", "setting", "local"}) help += said({command, "--help"});
  help += agent::help_text();  // of realserver, a program of its own
  Words options = options_in(help);
  for (const std::string& option : options_in(said({"help"}))) options.insert(option);
  for (const std::string& option : options_in(doctor::help_text())) options.insert(option);
  options.erase("--help");     // of every command
  options.erase("--fullnat");  // ipvsadm's
  Words documented = options_in(manual("penstock.8"));
  documented.erase("--fullnat");
  EXPECT_EQ(documented, options);
}

TEST(Manual, penstockd_8_has_the_options_of_penstockd_and_no_others) {
  EXPECT_EQ(options_in(manual("penstockd.8")), options_in(std::string(control::help_text())));
}

}  // namespace
}  // namespace penstock::tree
