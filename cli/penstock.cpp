#include "cli/penstock.hpp"

#include <fmt/ostream.h>

#include "cli/status.hpp"

namespace penstock::cli {
namespace {

constexpr const char* release = "0.1";

constexpr const char* usage = R"(usage: penstock COMMAND

  status [--json]   services, connections and packets of the director in this network namespace
  lab …             a cluster of hosts on this machine
  version           which release this is

Services and real servers are managed with ipvsadm.
)";

constexpr int exit_failed = 1;
constexpr int exit_usage = 2;

int misunderstood(std::ostream& err, const std::string& what) {
  fmt::print(err, "penstock: {}\n\n{}", what, usage);
  return exit_usage;
}

int show_status(const std::vector<std::string>& operands, std::ostream& out, std::ostream& err,
                const std::function<Result<api::Director*>()>& director) {
  const bool as_json = operands == std::vector<std::string>{"--json"};
  if (!operands.empty() && !as_json) return misunderstood(err, "status: unknown argument " + operands[0]);
  const auto status = director().and_then([](api::Director* found) { return read_status(*found); });
  if (!status) {
    fmt::print(err, "penstock: {}\n", status.error().message);
    return exit_failed;
  }
  out << (as_json ? status_json(*status) : status_table(*status));
  return 0;
}

}  // namespace

int run_penstock(const std::vector<std::string>& args, std::ostream& out, std::ostream& err,
                 const std::function<Result<api::Director*>()>& director) {
  if (args.size() < 2) return misunderstood(err, "which command?");
  const std::string& command = args[1];
  const std::vector<std::string> operands(args.begin() + 2, args.end());
  if (command == "status") return show_status(operands, out, err, director);
  if (command != "version" && command != "--version" && command != "help" && command != "--help" && command != "-h")
    return misunderstood(err, "unknown command " + command);
  if (!operands.empty()) return misunderstood(err, command + ": unknown argument " + operands[0]);
  if (command == "version" || command == "--version")
    fmt::print(out, "penstock {}\n", release);
  else
    out << usage;
  return 0;
}

}  // namespace penstock::cli
