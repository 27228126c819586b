// penstockd's command line.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/result.hpp"
#include "control/attachments.hpp"
#include "control/sizes.hpp"

namespace penstock::control {

struct Options {
  enum class Action { serve, unload, help, version };

  Action action = Action::serve;
  InterfaceChoice interfaces;
  Sizes sizes;
  std::optional<std::string> socket_group;
  std::optional<std::string> bpffs;
};

// `arguments` without the program's name.
[[nodiscard]] Result<Options> parse_options(std::span<const char* const> arguments);

[[nodiscard]] std::string_view help_text();

// "65536", "64K", "4M", "1G": powers of 1024.
[[nodiscard]] std::optional<u64> parse_size(std::string_view text);

}  // namespace penstock::control
