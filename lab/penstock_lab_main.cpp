// penstock-lab, which `penstock lab …` becomes: a cluster of hosts in namespaces on this machine.
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <vector>

#include "lab/guide.hpp"
#include "lab/lab.hpp"
#include "lab/progress_lines.hpp"
#include "lab/requirements.hpp"
#include "lab/view.hpp"

namespace penstock::lab {
namespace {

constexpr const char* usage = R"(usage: penstock lab COMMAND

  up [--bare] [TOPOLOGY]  bring a lab up: a topology by its name, or a file by a path with a /
                          --bare: hosts and daemons only; no `then` lines, no forward
  down                    take it down, whatever state it is in
  view [--once]           its hosts and what flows between them, live; --once: one picture
  status                  its hosts, their addresses and processes
  exec HOST [COMMAND…]    run a command in a host, a shell without one; `switch` is a host too
  logs HOST               what the host's daemons said; `supervisor` has a log too
  check                   what this machine lacks for a lab

  --name NAME             which lab (default lab); labs of different names run side by side

topologies: {}; without one: {}
)";

void print_usage(FILE* where) {
  const auto project = find_project();
  fmt::print(where, fmt::runtime(usage),
             fmt::join(project ? topology_names(*project) : std::vector<std::string>{}, ", "), default_topology);
}

constexpr std::string_view default_name = "lab";
constexpr int exit_failed = 1;
constexpr int exit_usage = 2;
constexpr int exit_not_up = 3;

struct Arguments {
  std::string name{default_name};
  Extent extent = Extent::whole;
  bool once = false;
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
    const bool is_option = words[i].starts_with("-") && words[i] != "--";
    // What follows the host is the command's own.
    if (arguments.command == "exec" && !arguments.operands.empty()) {
      arguments.operands.push_back(words[i]);
    } else if (words[i] == "--bare") {
      arguments.extent = Extent::bare;
    } else if (words[i] == "--once") {
      arguments.once = true;
    } else if (is_option && words[i] != "--name") {
      return fail(ErrorCode::invalid_argument, "unknown option " + words[i]);
    } else if (is_option && i + 1 == words.size()) {
      return fail(ErrorCode::invalid_argument, words[i] + " needs a value");
    } else if (is_option) {
      arguments.name = words[++i];
    } else if (arguments.command.empty()) {
      arguments.command = words[i];
    } else {
      arguments.operands.push_back(words[i]);
    }
  }
  return arguments;
}

// 0: not a terminal.
std::size_t columns_of_terminal() {
  winsize size{};
  if (isatty(STDOUT_FILENO) == 0 || ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0) return 0;
  return size.ws_col;
}

// `penstock lab` as this user has to type it from here.
std::string command_words(const Arguments& arguments, const Project& project) {
  const char* path = std::getenv("PATH");
  const std::string penstock = project.bin + "/penstock";
  const bool is_found = find_program("penstock", {fmt::format("PATH={}", path ? path : "")}) == penstock;
  std::error_code ignored;
  const std::string from_here = std::filesystem::proximate(penstock, ignored).string();
  const std::string program = is_found ? "penstock" : from_here.starts_with("../..") ? penstock : from_here;
  return program + " lab" + (arguments.name == default_name ? "" : " --name " + arguments.name);
}

void print_guide(const UpReport& report, const std::string& command) {
  fmt::print("\n{}\n{}", host_table(report.topology),
             what_to_type(report.topology, {.command = command, .urls = report.urls}));
}

Result<UpReport> up_with_progress(const Arguments& arguments, const Project& project, const std::string& path) {
  const auto begin = std::chrono::steady_clock::now();
  const auto after = [&] { return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin); };
  const auto write = [](const std::string& text) {
    fmt::print("{}", text);
    std::fflush(stdout);
  };
  ProgressLines lines(columns_of_terminal());
  auto report = up({.name = arguments.name,
                    .topology_path = path,
                    .project = project,
                    .extent = arguments.extent,
                    .on_progress = [&](const Progress& progress) { write(lines.take(progress, after())); }});
  write(lines.end());
  if (report && !report->was_running)
    write(fmt::format("lab '{}' is up after {:.2f} s\n", arguments.name, after().count()));
  return report;
}

int command_up(const Arguments& arguments, const Project& project) {
  const auto path =
      topology_path(project, arguments.operands.empty() ? std::string(default_topology) : arguments.operands[0]);
  if (!path) return complain(path.error());
  const auto report = up_with_progress(arguments, project, *path);
  if (!report) return complain(report.error());
  if (report->was_running) fmt::print("lab '{}' is up already\n", arguments.name);
  for (const std::string& note : report->notes) fmt::print("note: {}\n", note);
  if (arguments.extent == Extent::whole) print_guide(*report, command_words(arguments, project));
  return 0;
}

int command_down(const Arguments& arguments) {
  const auto was_there = down(arguments.name);
  if (!was_there) return complain(was_there.error());
  fmt::print("lab '{}' is down\n", arguments.name);
  return 0;
}

std::vector<std::string> process_column(const Status& now) {
  std::vector<std::string> column{"PID"};
  for (const HostStatus& host : now.hosts) column.push_back(host.is_alive ? fmt::to_string(host.pid) : "dead");
  return column;
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
  if (now.topology) fmt::print("{}", host_table(*now.topology, process_column(now)));
  for (const std::string& url : now.urls) fmt::print("\nforwarded: {}\n", url);
  return is_up ? 0 : exit_not_up;
}

int command_view(const Arguments& arguments) {
  if (!arguments.once) {
    const auto viewed = view(arguments.name);
    return viewed ? 0 : complain(viewed.error());
  }
  constexpr Size unbounded{.columns = 80, .rows = 200};
  const std::size_t columns = columns_of_terminal();
  const Size size{.columns = columns == 0 ? unbounded.columns : columns, .rows = unbounded.rows};
  const auto picture = view_once(arguments.name, size, columns != 0);
  if (!picture) return complain(picture.error());
  fmt::print("{}", *picture);
  return 0;
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
  fmt::print(stderr, "penstock lab: {}\n\n", complaint);
  print_usage(stderr);
  return exit_usage;
}

int run_command(const Arguments& arguments) {
  const std::string& command = arguments.command;
  const bool takes_host = command == "exec" || command == "logs";
  const std::size_t operands_max = command == "exec"               ? arguments.operands.size()
                                   : takes_host || command == "up" ? 1
                                                                   : 0;
  if (takes_host && arguments.operands.empty()) return misuse(command + " needs a host");
  if (arguments.operands.size() > operands_max)
    return misuse(fmt::format("{} takes no '{}'", command, arguments.operands[operands_max]));
  if (arguments.extent == Extent::bare && command != "up") return misuse("--bare is for up");
  if (arguments.once && command != "view") return misuse("--once is for view");
  if (command == "view") return command_view(arguments);
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
    print_usage(stdout);
    return 0;
  }
  const auto arguments = parse_arguments(all);
  return arguments ? run_command(*arguments) : misuse(arguments.error().message);
}
