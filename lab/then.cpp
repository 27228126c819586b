#include "lab/then.hpp"

#include <fcntl.h>
#include <fmt/format.h>

#include "lab/enter.hpp"

namespace penstock::lab {
namespace {

void append_to_log(const std::string& log, const std::string& text) {
  const FileDescriptor file(open(log.c_str(), O_WRONLY | O_APPEND | O_CLOEXEC));
  if (file) dprintf(file.get(), "%s", text.c_str());
}

}  // namespace

Result<void> run_then(const RunningHost& host, const std::string& line, const Project& project,
                      const std::string& log) {
  auto init = open_process(host.process);
  if (!init) return with_context(fmt::format("host {}", host.name), std::move(init.error()));
  auto outcome = run_inside({.init = std::move(*init),
                             .argv = {"/bin/sh", "-c", line},
                             .environment = host_environment(project, ""),
                             .working_folder = project.root},
                            then_time_max);
  if (!outcome) return with_context(fmt::format("host {}: then {}", host.name, line), std::move(outcome.error()));
  append_to_log(log, fmt::format("$ {}\n{}", line, outcome->output));
  if (outcome->exit_status == 0) return {};
  while (outcome->output.ends_with('\n')) outcome->output.pop_back();
  return fail(ErrorCode::unavailable,
              fmt::format("host {}: then {}: exit status {}{}{}", host.name, line, outcome->exit_status,
                          outcome->output.empty() ? "" : ": ", outcome->output));
}

}  // namespace penstock::lab
