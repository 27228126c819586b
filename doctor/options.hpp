// The command line of `penstock doctor`.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "doctor/facts.hpp"

namespace penstock::doctor {

enum class Role { director, real_server };

struct Options {
  enum class Action { examine, help, reference };

  Action action = Action::examine;
  bool as_json = false;
  std::optional<Role> role{};             // none: found out
  std::optional<model::Method> method{};  // of a real server; none: found out
  std::vector<model::Address> vips{};     // of a real server; none: those on lo
  std::vector<model::Address> directors{};
  std::vector<model::Address> clients{};
  std::chrono::seconds time{1};  // for which counters are watched
};

inline constexpr std::chrono::seconds time_max{3600};

// `words` without the program's name. Error: invalid_argument.
[[nodiscard]] Result<Options> parse_options(const std::vector<std::string>& words);

[[nodiscard]] const char* help_text();

[[nodiscard]] std::string_view name_of(model::Method method);  // "direct"

}  // namespace penstock::doctor
