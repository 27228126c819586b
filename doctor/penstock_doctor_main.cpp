// penstock-doctor, which `penstock doctor …` becomes: what is wrong with this director or real server.
#include <fmt/format.h>

#include <cstdio>
#include <string>
#include <vector>

#include "doctor/look.hpp"
#include "doctor/options.hpp"
#include "doctor/report.hpp"
#include "doctor/rules.hpp"

namespace penstock::doctor {
namespace {

constexpr int exit_healthy = 0;
constexpr int exit_found = 1;
constexpr int exit_could_not_look = 2;

int complain(const Error& error) {
  fmt::print(stderr, "penstock doctor: {}\n", error.message);
  return exit_could_not_look;
}

int print(const std::string& text, int exit_code) {
  fmt::print("{}", text);
  return std::fflush(stdout) == 0 ? exit_code : complain({ErrorCode::io, "writing the output failed"});
}

int run(const Options& options) {
  switch (options.action) {
    case Options::Action::help:
      return print(help_text(), exit_healthy);
    case Options::Action::reference:
      return print(reference_page(), exit_healthy);
    case Options::Action::examine:
      break;
  }
  const auto facts = look(options);
  if (!facts) return complain(facts.error());
  const Findings findings = examine(*facts);
  return print(options.as_json ? report_json(*facts, findings) : report_text(*facts, findings),
               findings.empty() ? exit_healthy : exit_found);
}

}  // namespace
}  // namespace penstock::doctor

int main(int count, char** words) {
  const auto options = penstock::doctor::parse_options({words + 1, words + count});
  if (options) return penstock::doctor::run(*options);
  fmt::print(stderr, "penstock doctor: {}\n\n{}", options.error().message, penstock::doctor::help_text());
  return penstock::doctor::exit_could_not_look;
}
