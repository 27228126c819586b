// penstockd: command line, log, exit code.
#include <fmt/format.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <cstdio>
#include <cstdlib>
#include <span>

#include "control/daemon.hpp"
#include "control/options.hpp"

namespace {

using namespace penstock;
using control::Options;

constexpr const char* version = "0.1";

// The journal keeps time and process itself, and takes the level from a prefix (sd-daemon(3)).
control::Log make_log(spdlog::logger& logger) {
  const bool is_journal = std::getenv("JOURNAL_STREAM") != nullptr;
  logger.set_pattern(is_journal ? "%v" : "%Y-%m-%d %H:%M:%S.%e penstockd: %v");
  logger.flush_on(spdlog::level::info);
  const std::string info = is_journal ? "<6>" : "";
  const std::string warning = is_journal ? "<4>" : "warning: ";
  return {.info = [&logger, info](const std::string& line) { logger.info("{}{}", info, line); },
          .warn = [&logger, warning](const std::string& line) { logger.warn("{}{}", warning, line); }};
}

int complain(const Error& error) {
  const bool is_journal = std::getenv("JOURNAL_STREAM") != nullptr;
  fmt::print(stderr, "{}penstockd: {}\n", is_journal ? "<3>" : "", error.message);
  return EXIT_FAILURE;
}

int act(const Options& options, const control::Log& log) {
  switch (options.action) {
    case Options::Action::help:
      fmt::print("{}", control::help_text());
      return EXIT_SUCCESS;
    case Options::Action::version:
      fmt::print("penstockd {}\n", version);
      return EXIT_SUCCESS;
    case Options::Action::serve: {
      const auto served = control::serve(options, log);
      return served ? EXIT_SUCCESS : complain(served.error());
    }
    case Options::Action::unload: {
      const auto unloaded = control::unload(options, log);
      return unloaded ? EXIT_SUCCESS : complain(unloaded.error());
    }
  }
  return EXIT_FAILURE;
}

}  // namespace

int main(int count, char** arguments) {
  const auto options = control::parse_options(std::span(arguments + 1, static_cast<std::size_t>(count - 1)));
  if (!options) return complain(options.error());
  const auto logger = spdlog::stderr_logger_st("penstockd");
  return act(*options, make_log(*logger));
}
