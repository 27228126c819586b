// The command line of `penstock realserver`.
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "model/address.hpp"
#include "model/prefix.hpp"
#include "model/service.hpp"

namespace penstock::agent {

// Where the tunnel's end runs: XDP in the driver, the kernel's traffic control behind it, or what suits the interface.
enum class Mode { automatic, native, tc };

struct Options {
  enum class Action { help, start, stop, status };

  Action action = Action::help;
  std::vector<model::Address> vips;
  std::set<model::Method> methods;      // direct when none is named
  std::vector<std::string> interfaces;  // none: every Ethernet interface that is up
  Mode mode = Mode::automatic;
  std::optional<std::uint32_t> mss;
  std::vector<model::Prefix> directors;
  std::uint8_t option_kind = 254;
  std::optional<std::string> cgroup;
  bool as_json = false;
};

// `words` without the program's name: start, stop or status and its options.
[[nodiscard]] Result<Options> parse_options(std::span<const std::string> words);

[[nodiscard]] std::string_view help_text();

}  // namespace penstock::agent
