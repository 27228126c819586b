#include "tests/tree/include_rules.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <span>

namespace penstock::tree {
namespace {

using Rooms = std::vector<std::string_view>;

struct Rule {
  std::string_view room;
  Rooms may_include;  // besides itself
};

const Rooms every_room = {"base",       "netlink", "datapath/abi", "datapath/core", "datapath/bpf", "datapath/native",
                          "schedulers", "model",   "api",          "cli",           "control",      "agent/bpf",
                          "agent",      "doctor",  "lab",          "tests",         "bench"};

const std::vector<Rule> rules = {
    {"base", {}},
    {"datapath/abi", {}},
    {"datapath/core", {"datapath/abi"}},
    {"datapath/bpf", {"datapath/abi", "datapath/core", "schedulers"}},
    {"datapath/native", {"base", "datapath/abi", "datapath/core", "schedulers"}},
    {"schedulers", {"base", "datapath/abi", "model"}},
    {"model", {"base"}},
    {"netlink", {"base", "model"}},
    {"api", {"base", "model"}},
    {"cli", {"base", "model", "api"}},
    {"control",
     {"base", "datapath/abi", "datapath/core", "datapath/bpf", "datapath/native", "schedulers", "model", "netlink",
      "api"}},
    {"agent/bpf", {"datapath/abi", "datapath/core", "datapath/bpf"}},
    {"agent", {"base", "datapath/abi", "agent/bpf", "model", "netlink", "api"}},
    {"doctor", {"base", "model", "netlink", "api"}},
    {"lab", every_room},
    {"tests", every_room},
    {"bench", every_room},
};

// A room's own tests may build their world from more than the room may use, but never from the daemon or the tools.
const Rooms for_tests_beside_code = {"base",       "datapath/abi", "datapath/core", "datapath/native",
                                     "schedulers", "model",        "api",           "tests"};

// The schedulers' picks: headers that the packet path includes, so they are written as it is.
using Paths = std::vector<std::string_view>;
const Paths picks = {"schedulers/address_fold.hpp", "schedulers/siphash.hpp", "schedulers/source_hash.hpp"};
const Paths for_picks = {"datapath/abi/address.hpp", "datapath/abi/types.hpp", "datapath/core/inline.hpp"};

bool contains(const std::vector<std::string_view>& all, std::string_view one) {
  return std::ranges::find(all, one) != all.end();
}

bool is_test_beside_code(std::string_view path) {
  return path.ends_with("_test.cpp") || path.ends_with("_fuzz.cpp") || path.ends_with("_bench.cpp");
}

bool may_include(std::string_view path, std::string_view target) {
  const auto room = room_of(path);
  const auto included_room = room_of(target);
  if (contains(picks, path)) return contains(picks, target) || contains(for_picks, target);
  if (room == included_room) return true;
  if (room == "datapath/core" && contains(picks, target)) return true;
  if (is_test_beside_code(path) && contains(for_tests_beside_code, included_room)) return true;
  return contains(std::ranges::find(rules, room, &Rule::room)->may_include, included_room);
}

bool is_data_plane(std::string_view path) {
  const auto room = room_of(path);
  return room == "datapath/abi" || room == "datapath/core" || room == "datapath/bpf" || contains(picks, path);
}

// What stands between penstockd and the kernel's BPF: maps, programs, pins, links, and the packet path's clock.
bool may_use_libbpf(std::string_view path) {
  for (const std::string_view part : {"loader", "maps", "data_plane", "xdp_link", "tc_filter", "kernel_clock"})
    if (path.starts_with("control/") && path.substr(std::string_view("control/").size()).starts_with(part)) return true;
  return path.starts_with("agent/bpf_") || path.starts_with("tests/") || path.starts_with("bench/");
}

struct Include {
  std::string_view target;
  bool quoted = false;
};

// The include that a line makes, if it makes one.
std::optional<Include> include_in(std::string_view line) {
  const auto skip_blanks = [&line] { line.remove_prefix(std::min(line.find_first_not_of(" \t"), line.size())); };
  skip_blanks();
  if (!line.starts_with('#')) return std::nullopt;
  line.remove_prefix(1);
  skip_blanks();
  if (!line.starts_with("include")) return std::nullopt;
  line.remove_prefix(std::string_view("include").size());
  skip_blanks();
  if (line.empty() || (line.front() != '"' && line.front() != '<')) return std::nullopt;
  const bool quoted = line.front() == '"';
  line.remove_prefix(1);
  return Include{line.substr(0, line.find(quoted ? '"' : '>')), quoted};
}

// What is wrong with this include, in words; empty when nothing is.
std::string fault(std::string_view path, const Include& include) {
  const auto room = room_of(path);
  if (include.quoted) {
    if (room_of(include.target).empty()) {
      return fmt::format("\"{}\": quotes are for our own headers, by their path from the root", include.target);
    }
    if (!may_include(path, include.target)) {
      const auto who = contains(picks, path) ? path : room;
      return fmt::format("\"{}\": {} may not include {}", include.target, who, room_of(include.target));
    }
    return {};
  }
  if (is_data_plane(path) && !include.target.starts_with("linux/") && !include.target.starts_with("asm/")) {
    if (!is_test_beside_code(path))
      return fmt::format("<{}>: {} uses no standard headers", include.target, contains(picks, path) ? path : room);
  }
  if (include.target.starts_with("bpf/") && !may_use_libbpf(path)) {
    return fmt::format(
        "<{}>: libbpf is for control's loader, maps, data_plane, xdp_link, tc_filter and kernel_clock, for agent's "
        "bpf_*, tests and benches",
        include.target);
  }
  return {};
}

}  // namespace

std::string_view room_of(std::string_view path) {
  for (const auto& rule : rules) {
    if (path.starts_with(rule.room) && path.substr(rule.room.size()).starts_with('/')) return rule.room;
  }
  return {};
}

std::vector<std::string> breaches(const Source& source) {
  if (room_of(source.path).empty()) return {fmt::format("{}:1: in no room", source.path)};
  std::vector<std::string> found;
  bool once = false;
  std::size_t line_number = 0;
  for (std::string_view rest = source.text; !rest.empty();) {
    const auto line = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(std::min(line.size() + 1, rest.size()));
    ++line_number;
    once = once || line == "#pragma once";
    const auto include = include_in(line);
    if (!include) continue;
    if (const auto what = fault(source.path, *include); !what.empty()) {
      found.push_back(fmt::format("{}:{}: {}", source.path, line_number, what));
    }
  }
  if (source.path.ends_with(".hpp") && !once) found.push_back(fmt::format("{}:1: no #pragma once", source.path));
  return found;
}

}  // namespace penstock::tree
