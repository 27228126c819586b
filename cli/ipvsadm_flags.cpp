#include "cli/ipvsadm_flags.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "model/service.hpp"

namespace penstock::cli {
namespace {

struct Flag {
  std::string_view name;
  std::string_view scheduler;  // "": any
  std::uint32_t bit;
};

constexpr std::array<Flag, 7> known_flags = {{
    {"sh-fallback", "sh", model::service_flag::sched_1},
    {"sh-port", "sh", model::service_flag::sched_2},
    {"mh-fallback", "mh", model::service_flag::sched_1},
    {"mh-port", "mh", model::service_flag::sched_2},
    {"flag-1", "", model::service_flag::sched_1},
    {"flag-2", "", model::service_flag::sched_2},
    {"flag-3", "", model::service_flag::sched_3},
}};

const Flag* find_flag(std::string_view name) {
  for (const Flag& flag : known_flags)
    if (flag.name == name) return &flag;
  return nullptr;
}

bool has_names_of_its_own(std::string_view scheduler) { return scheduler == "sh" || scheduler == "mh"; }

}  // namespace

tl::expected<std::uint32_t, std::string> parse_scheduler_flags(std::string_view text, std::string_view scheduler) {
  // ipvsadm 1.31 crashes on commas alone.
  if (!text.empty() && text.find_first_not_of(',') == std::string_view::npos)
    return tl::unexpected(fmt::format("invalid scheduler flag `{}'", text));
  std::uint32_t bits = 0;
  while (!text.empty()) {
    const std::string_view name = text.substr(0, text.find(','));
    text.remove_prefix(std::min(name.size() + 1, text.size()));
    if (name.empty()) continue;
    const Flag* flag = find_flag(name);
    if (flag == nullptr) return tl::unexpected(fmt::format("invalid scheduler flag `{}'", name));
    if (!flag->scheduler.empty() && flag->scheduler != scheduler)
      return tl::unexpected(fmt::format("incompatible scheduler flag `{}'", name));
    bits |= flag->bit;
  }
  return bits;
}

std::string scheduler_flags_text(std::uint32_t flags, std::string_view scheduler) {
  const std::string_view namer = has_names_of_its_own(scheduler) ? scheduler : "";
  std::string text;
  for (const Flag& flag : known_flags) {
    if (flag.scheduler != namer || (flags & flag.bit) == 0) continue;
    if (!text.empty()) text += ',';
    text += flag.name;
  }
  return text;
}

bool has_scheduler_flags(std::uint32_t flags) {
  using namespace model::service_flag;
  return (flags & (sched_1 | sched_2 | sched_3)) != 0;
}

}  // namespace penstock::cli
