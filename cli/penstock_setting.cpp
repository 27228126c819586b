#include "cli/penstock_setting.hpp"

#include <algorithm>

#include "model/setting.hpp"

namespace penstock::cli {
namespace {

constexpr const char* usage =
    R"(usage: penstock setting list              all settings, with their defaults and what they do
       penstock setting get NAME          the value alone
       penstock setting set NAME VALUE    from the next packet on, and after a restart too

NAME is that of IPVS's sysctl, with or without net.ipv4.vs. before it; NAME=VALUE does as well.
)";

// What the kernel writes with a tab is easier to read, and to copy, with a blank.
std::string shown(std::string value) {
  std::ranges::replace(value, '\t', ' ');
  return value;
}

int list(const Console& console) {
  return ask(console, [&](api::Director& director) -> Result<void> {
    const auto settings = director.settings();
    if (!settings) return fail(settings.error());
    fmt::print(console.out, "{:<26} {:<11} {:<8} {}\n", "NAME", "VALUE", "DEFAULT", "MEANING");
    for (const api::Setting& setting : *settings) {
      const auto rule = model::find_setting(setting.name);
      fmt::print(console.out, "{:<26} {:<11} {:<8} {}\n", setting.name, shown(setting.value),
                 rule ? shown(std::string((*rule)->initial)) : "", rule ? (*rule)->meaning : "");
    }
    return {};
  });
}

int get(const Console& console, std::string_view name) {
  if (name.starts_with(model::setting_prefix)) name.remove_prefix(model::setting_prefix.size());
  return ask(console, [&](api::Director& director) -> Result<void> {
    const auto settings = director.settings();
    if (!settings) return fail(settings.error());
    const auto found = std::ranges::find(*settings, name, &api::Setting::name);
    if (found == settings->end())
      return fail(ErrorCode::not_found, fmt::format("no setting is called \"{}\": see penstock setting list", name));
    console.out << found->value << '\n';
    return {};
  });
}

struct Assignment {
  std::string name;
  std::string value;
};

// "NAME VALUE", "NAME=VALUE", and for settings of two numbers "NAME VALUE VALUE".
std::optional<Assignment> parse_assignment(Words words) {
  if (words.empty()) return std::nullopt;
  if (const auto equals = words[0].find('='); equals != std::string::npos) {
    const std::string first = words[0];
    words[0] = first.substr(0, equals);
    words.insert(words.begin() + 1, first.substr(equals + 1));
  }
  if (words.size() < 2) return std::nullopt;
  Assignment read{words[0], words[1]};
  for (std::size_t i = 2; i < words.size(); ++i) read.value += " " + words[i];
  return read;
}

}  // namespace

int run_setting(const Words& words, const Console& console) {
  if (asks_for_help(words)) {
    console.out << usage;
    return exit_done;
  }
  const std::string verb = words.empty() ? "" : words[0];
  if (verb == "list")
    return words.size() == 1 ? list(console)
                             : misunderstood(console, "setting list: unknown argument " + words[1], usage);
  if (verb == "get")
    return words.size() == 2 ? get(console, words[1]) : misunderstood(console, "setting get: which NAME?", usage);
  if (verb != "set") return misunderstood(console, "setting: list, get or set?", usage);
  const auto assignment = parse_assignment(Words(words.begin() + 1, words.end()));
  if (!assignment) return misunderstood(console, "setting set: which NAME and VALUE?", usage);
  return ask(console,
             [&](api::Director& director) { return director.set_setting(assignment->name, assignment->value); });
}

}  // namespace penstock::cli
