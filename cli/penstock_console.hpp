// What the commands of `penstock` have in common: where they print, whom they ask, how they end.
#pragma once

#include <fmt/ostream.h>

#include <functional>
#include <ostream>
#include <string>
#include <vector>

#include "api/director.hpp"
#include "base/result.hpp"

namespace penstock::cli {

inline constexpr int exit_done = 0;
inline constexpr int exit_director_failed = 1;
inline constexpr int exit_not_understood = 2;

using Words = std::vector<std::string>;

struct Console {
  std::ostream& out;
  std::ostream& err;
  const std::function<Result<api::Director*>()>& director;
};

[[nodiscard]] inline int misunderstood(const Console& console, const std::string& what, const char* usage) {
  fmt::print(console.err, "penstock: {}\n\n{}", what, usage);
  return exit_not_understood;
}

[[nodiscard]] inline int failed(const Console& console, const Error& error) {
  fmt::print(console.err, "penstock: {}\n", error.message);
  return exit_director_failed;
}

// `question` gets the director and gives a Result<void>.
template <typename Question>
[[nodiscard]] int ask(const Console& console, Question question) {
  const auto director = console.director();
  if (!director) return failed(console, director.error());
  const Result<void> answer = question(**director);
  return answer ? exit_done : failed(console, answer.error());
}

[[nodiscard]] inline bool asks_for_help(const Words& words) {
  return !words.empty() && (words[0] == "help" || words[0] == "--help" || words[0] == "-h");
}

}  // namespace penstock::cli
