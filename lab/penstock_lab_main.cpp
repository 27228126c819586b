// penstock-lab, which `penstock lab …` becomes: a cluster of hosts in namespaces on this machine.
#include <fmt/format.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <string>
#include <vector>

#include "lab/lab.hpp"
#include "lab/requirements.hpp"

namespace penstock::lab {
namespace {

constexpr const char* usage = R"(usage: penstock lab COMMAND

  up [--topology FILE]    bring the lab up; FILE describes its hosts (default lab/topologies/dr.conf)
  down                    take it down, whatever state it is in
  status                  its hosts, their addresses and processes
  exec HOST [COMMAND…]    run a command in a host, a shell without one; `switch` is a host too
  logs HOST               what the host's daemons said; `supervisor` has a log too
  check                   what this machine lacks for a lab

  --name NAME             which lab (default: lab); labs of different names run side by side
)";

constexpr int exit_failed = 1;
constexpr int exit_usage = 2;
constexpr int exit_not_up = 3;

struct Arguments {
  std::string name = "lab";
  std::string topology;
  std::string command;
  std::vector<std::string> operands;
};

int complain(const Error& error) {
  fmt::print(stderr, "penstock lab: {}\n", error.message);
  return exit_failed;
}

Result<Arguments> parse_arguments(std::vector<std::string> words) {
  Arguments arguments;
  for (std::size_t i = 0; i < words.size(); ++i) {
    const bool is_option = words[i].starts_with("--") && words[i].size() > 2;
    // What follows the host is the command's own.
    if (arguments.command == "exec" && !arguments.operands.empty()) {
      arguments.operands.push_back(words[i]);
    } else if (is_option && words[i] != "--name" && words[i] != "--topology") {
      return fail(ErrorCode::invalid_argument, "unknown option " + words[i]);
    } else if (is_option && i + 1 == words.size()) {
      return fail(ErrorCode::invalid_argument, words[i] + " needs a value");
    } else if (is_option) {
      (words[i] == "--name" ? arguments.name : arguments.topology) = words[i + 1];
      ++i;
    } else if (arguments.command.empty()) {
      arguments.command = words[i];
    } else {
      arguments.operands.push_back(words[i]);
    }
  }
  return arguments;
}

std::string join(const std::vector<model::Address>& addresses) {
  std::string text;
  for (const model::Address& address : addresses) text += (text.empty() ? "" : " ") + to_string(address);
  return text;
}

void print_host(const HostStatus& running, const Host* host) {
  std::vector<model::Address> addresses;
  if (host) {
    for (const Link& link : host->links)
      addresses.insert(addresses.end(), link.addresses.begin(), link.addresses.end());
  }
  fmt::print("{:<10}  {:<10}  {:<16}  {:<16}  {}\n", running.name, host ? to_string(host->role) : "switch",
             join(addresses), host ? join(host->vips) : "", running.is_alive ? fmt::to_string(running.pid) : "dead");
}

int command_up(const Arguments& arguments, const Project& project) {
  const auto begin = std::chrono::steady_clock::now();
  const auto report =
      up({.name = arguments.name,
          .topology_path = arguments.topology.empty() ? default_topology_path(project) : arguments.topology,
          .project = project});
  if (!report) return complain(report.error());
  if (report->was_running) {
    fmt::print("lab '{}' is up already\n", arguments.name);
    return 0;
  }
  const std::chrono::duration<double> time = std::chrono::steady_clock::now() - begin;
  std::string hosts;
  for (const Host& host : report->topology.hosts) hosts += " " + host.name;
  fmt::print("lab '{}' is up after {:.2f} s:{}\n", arguments.name, time.count(), hosts);
  for (const std::string& note : report->notes) fmt::print("note: {}\n", note);
  return 0;
}

int command_down(const Arguments& arguments) {
  const auto was_there = down(arguments.name);
  if (!was_there) return complain(was_there.error());
  fmt::print("lab '{}' is down\n", arguments.name);
  return 0;
}

int command_status(const Arguments& arguments) {
  const Status now = status(arguments.name);
  if (now.condition == Condition::down) {
    fmt::print("lab '{}' is down\n", arguments.name);
    return exit_not_up;
  }
  const bool is_up = now.condition == Condition::up;
  fmt::print("lab '{}' is {}: {}\n\n", arguments.name, is_up ? "up" : "not whole (`up` or `down` puts it right)",
             now.topology_path);
  fmt::print("{:<10}  {:<10}  {:<16}  {:<16}  {}\n", "HOST", "ROLE", "ADDRESS", "VIP", "PID");
  for (const HostStatus& host : now.hosts) {
    print_host(host, now.topology ? find_host(*now.topology, host.name) : nullptr);
  }
  return is_up ? 0 : exit_not_up;
}

int command_exec(const Arguments& arguments, const Project& project) {
  std::vector<std::string> argv(arguments.operands.begin() + 1, arguments.operands.end());
  if (!argv.empty() && argv[0] == "--") argv.erase(argv.begin());
  if (argv.empty()) argv = {"/bin/bash"};
  const char* terminal = std::getenv("TERM");
  const auto entry =
      entry_to(arguments.name, arguments.operands[0], project, terminal ? terminal : "", std::move(argv));
  if (!entry) return complain(entry.error());
  const auto exit_status = enter_and_run(*entry);
  return exit_status ? *exit_status : complain(exit_status.error());
}

int command_logs(const Arguments& arguments) {
  if (auto good = check_lab_name(arguments.name); !good) return complain(good.error());
  const LabFolder folder(arguments.name);
  if (!folder.exists()) return complain({ErrorCode::not_found, fmt::format("lab '{}' is down", arguments.name)});
  const auto text = read_file(folder.log(arguments.operands[0]));
  if (!text) return complain(text.error());
  fmt::print("{}", *text);
  return 0;
}

int command_check(const Project& project) {
  const auto requirements = check_requirements(project);
  bool is_enough = true;
  for (const Requirement& requirement : requirements) {
    is_enough = is_enough && (requirement.is_met || !requirement.is_needed);
    const char* word = requirement.is_met ? "ok" : requirement.is_needed ? "MISSING" : "absent";
    fmt::print("{:<8}  {:<28}{}\n", word, requirement.name, requirement.remark);
  }
  const std::string command = install_command(requirements);
  if (!command.empty()) fmt::print("\n  {}\n", command);
  return is_enough ? 0 : exit_failed;
}

int misuse(std::string_view complaint) {
  fmt::print(stderr, "penstock lab: {}\n\n{}", complaint, usage);
  return exit_usage;
}

int run_command(const Arguments& arguments) {
  const std::string& command = arguments.command;
  const bool takes_host = command == "exec" || command == "logs";
  if (takes_host && arguments.operands.empty()) return misuse(command + " needs a host");
  if (!takes_host && !arguments.operands.empty())
    return misuse(fmt::format("{} takes no '{}'", command, arguments.operands[0]));
  if (!arguments.topology.empty() && command != "up") return misuse("--topology is for up");
  if (command == "down") return command_down(arguments);
  if (command == "status") return command_status(arguments);
  if (command == "logs") return command_logs(arguments);
  const auto project = find_project();
  if (!project) return complain(project.error());
  if (command == "up") return command_up(arguments, *project);
  if (command == "exec") return command_exec(arguments, *project);
  if (command == "check") return command_check(*project);
  return misuse(command.empty() ? "what?" : fmt::format("'{}' is not a command", command));
}

}  // namespace
}  // namespace penstock::lab

int main(int count, char** words) {
  using namespace penstock::lab;
  const std::vector<std::string> all(words + 1, words + count);
  if (all.size() == 1 && (all[0] == "--help" || all[0] == "-h" || all[0] == "help")) {
    fmt::print("{}", usage);
    return 0;
  }
  const auto arguments = parse_arguments(all);
  return arguments ? run_command(*arguments) : misuse(arguments.error().message);
}
