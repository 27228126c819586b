#include "agent/setting.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

namespace penstock::agent {
namespace {

constexpr std::array<std::pair<Kind, const char*>, 8> words{{{Kind::sysctl, "sysctl"},
                                                             {Kind::address, "address"},
                                                             {Kind::route, "route"},
                                                             {Kind::clsact, "clsact"},
                                                             {Kind::xdp, "xdp"},
                                                             {Kind::tc_in, "tc_in"},
                                                             {Kind::tc_out, "tc_out"},
                                                             {Kind::cgroup, "cgroup"}}};

std::string_view name_of_program(std::string_view value) { return value.substr(0, value.find(' ')); }

}  // namespace

std::string to_string(const Setting& setting) {
  switch (setting.kind) {
    case Kind::sysctl:
      return setting.name;
    case Kind::address:
      return fmt::format("address {} on lo", setting.name);
    case Kind::route:
      return fmt::format("route to {} through lo", setting.name);
    case Kind::clsact:
      return fmt::format("clsact of {}", setting.name);
    case Kind::xdp:
      return fmt::format("XDP program of {}", setting.name);
    case Kind::tc_in:
      return fmt::format("TC program of {}, incoming", setting.name);
    case Kind::tc_out:
      return fmt::format("TC program of {}, outgoing", setting.name);
    case Kind::cgroup:
      return fmt::format("cgroup program at {}", setting.name);
  }
  return setting.name;
}

const char* word_of(Kind kind) { return std::ranges::find(words, kind, &std::pair<Kind, const char*>::first)->second; }

Result<Kind> kind_of(std::string_view word) {
  for (const auto& [kind, known] : words)
    if (word == known) return kind;
  return fail(ErrorCode::invalid_argument, fmt::format("\"{}\" is no kind of setting", word));
}

bool is_program(Kind kind) {
  return kind == Kind::xdp || kind == Kind::tc_in || kind == Kind::tc_out || kind == Kind::cgroup;
}

bool stands(const Setting& setting, std::string_view current, std::string_view wanted) {
  if (current == wanted) return true;
  return is_program(setting.kind) && wanted.find(' ') == wanted.npos && name_of_program(current) == wanted;
}

bool is_ours(const Setting& setting, std::string_view current, std::string_view wanted) {
  return is_program(setting.kind) ? name_of_program(current) == name_of_program(wanted) : current == wanted;
}

}  // namespace penstock::agent
