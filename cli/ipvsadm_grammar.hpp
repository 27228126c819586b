// From arguments to a command: popt's view of them and ipvsadm's rules between options. Nothing here asks the director.
#pragma once

#include <string>
#include <tl/expected.hpp>
#include <vector>

#include "api/types.hpp"
#include "cli/ipvsadm_options.hpp"
#include "cli/names.hpp"
#include "model/service.hpp"

namespace penstock::cli {

struct Command {
  Verb verb = Verb::list;
  OptionSet given;
  model::Service service;    // -A, -E; its key for every command that takes a service
  model::RealServer server;  // -a, -e; its endpoint for -d
  api::Timeouts timeouts;    // --set
};

inline constexpr int exit_refused = 2;   // ipvsadm's own complaints
inline constexpr int exit_failed = 255;  // what popt or the director complains about

// What -R does after a complaint about one of its lines: goes on with the next one, does that and fails in the end, or ends.
enum class Restore { goes_on, fails, ends };

struct Complaint {
  int exit_code = exit_refused;
  std::string text;  // without the end of line
  Restore restore = Restore::ends;
};

// arguments[0] is the program's name; without further ones the command is a list of everything.
[[nodiscard]] tl::expected<Command, Complaint> parse_command(const std::vector<std::string>& arguments,
                                                             const Names& names);

// "Try `ipvsadm -h' …", for a line that is not a command.
[[nodiscard]] Complaint try_help(const std::string& program);

}  // namespace penstock::cli
