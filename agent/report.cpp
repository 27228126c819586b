#include "agent/report.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <nlohmann/json.hpp>

namespace penstock::agent {

bool is_all_right(std::span<const Standing> standing) { return std::ranges::all_of(standing, &Standing::is_right); }

std::string status_text(const std::string& purpose, std::span<const Standing> standing) {
  std::string text = fmt::format("real server: {}\n", purpose);
  for (const Standing& one : standing) {
    if (one.is_right)
      fmt::format_to(std::back_inserter(text), "ok       {}: {}\n", to_string(one.setting), one.current);
    else
      fmt::format_to(std::back_inserter(text), "MISSING  {}: {}, to be {}\n", to_string(one.setting), one.current,
                     one.wanted);
  }
  return text;
}

std::string status_json(const std::string& purpose, std::span<const Standing> standing) {
  using nlohmann::json;
  json settings = json::array();
  for (const Standing& one : standing)
    settings.push_back({{"kind", word_of(one.setting.kind)},
                        {"name", one.setting.name},
                        {"wanted", one.wanted},
                        {"current", one.current},
                        {"in_place", one.is_right}});
  const json whole{{"purpose", purpose}, {"in_place", is_all_right(standing)}, {"settings", std::move(settings)}};
  return whole.dump() + "\n";
}

}  // namespace penstock::agent
