#include "lab/lab.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <filesystem>

#include "lab/parse_topology.hpp"
#include "lab/supervisor.hpp"

namespace penstock::lab {
namespace {

using namespace std::chrono_literals;

constexpr auto supervisor_end_time_max = 6s;  // it waits for its hosts
constexpr auto kill_time_max = 3s;

Result<void> require_root() {
  if (geteuid() == 0) return {};
  return fail(ErrorCode::permission_denied, "a lab is made of namespaces and mounts: run this as root", EPERM);
}

bool is_whole(const LabState& state) {
  return state.ready && state.supervisor && is_alive(*state.supervisor) && !state.hosts.empty() &&
         std::ranges::all_of(state.hosts, [](const NamedProcess& host) { return is_alive(host.process); });
}

// Not there any more is as good as ended.
Result<void> end_process(const std::string& name, const ProcessId& process, int signal,
                         std::chrono::milliseconds time_max) {
  const auto pidfd = open_process(process);
  if (!pidfd) return {};
  kill_process(*pidfd, signal);
  if (wait_for_end(*pidfd, in(time_max))) return {};
  return fail(ErrorCode::busy, fmt::format("{} (process {}) does not end", name, process.pid), EBUSY);
}

// Processes only; the folder is the caller's.
Result<void> end_processes(const LabFolder& folder) {
  const LabState state = folder.load();
  if (state.supervisor) {
    // A supervisor that does not obey is killed, and the hosts die with it.
    if (!end_process("supervisor", *state.supervisor, SIGTERM, supervisor_end_time_max)) {
      if (auto ended = end_process("supervisor", *state.supervisor, SIGKILL, kill_time_max); !ended) return ended;
    }
  }
  for (const NamedProcess& host : state.hosts) {
    if (auto ended = end_process("host " + host.name, host.process, SIGKILL, kill_time_max); !ended) return ended;
  }
  return {};
}

Result<std::string> read_topology(const std::string& path) {
  auto text = read_file(path);
  if (!text) return fail(std::move(text.error()));
  return text;
}

}  // namespace

Result<UpReport> up(const UpRequest& request) {
  if (auto root = require_root(); !root) return fail(std::move(root.error()));
  if (auto good = check_lab_name(request.name); !good) return fail(std::move(good.error()));
  const auto text = read_topology(request.topology_path);
  if (!text) return fail(text.error());
  auto topology = parse_topology(request.topology_path, *text);
  if (!topology) return fail(std::move(topology.error()));

  const LabFolder folder(request.name);
  const auto lock = folder.lock();
  if (!lock) return fail(lock.error());
  const LabState before = folder.load();
  if (is_whole(before) && before.topology_text == *text && before.extent == request.extent) {
    return UpReport{.was_running = true, .topology = std::move(*topology), .notes = {}, .urls = before.urls};
  }
  if (auto ended = end_processes(folder); !ended) return fail(std::move(ended.error()));
  if (auto cleared = folder.clear(); !cleared) return fail(std::move(cleared.error()));
  if (auto saved = folder.save_topology(request.topology_path, *text, request.extent); !saved)
    return fail(std::move(saved.error()));
  auto notes = start_supervisor(
      {.topology = *topology, .project = request.project, .folder = folder, .extent = request.extent, .lock = *lock},
      request.on_progress);
  if (!notes) {
    if (auto ended = end_processes(folder).and_then([&] { return folder.remove(); }); !ended)
      notes.error().message += "\n" + ended.error().message;
    return fail(std::move(notes.error()));
  }
  return UpReport{
      .was_running = false, .topology = std::move(*topology), .notes = std::move(*notes), .urls = folder.load().urls};
}

Result<bool> down(const std::string& name) {
  if (auto root = require_root(); !root) return fail(std::move(root.error()));
  if (auto good = check_lab_name(name); !good) return fail(std::move(good.error()));
  const LabFolder folder(name);
  if (!folder.exists()) return false;
  const auto lock = folder.lock();
  if (!lock) return fail(lock.error());
  const bool was_there = !folder.load().topology_text.empty();
  if (auto ended = end_processes(folder); !ended) return fail(std::move(ended.error()));
  if (auto removed = folder.remove(); !removed) return fail(std::move(removed.error()));
  return was_there;
}

Status status(const std::string& name) {
  const LabFolder folder(name);
  const LabState state = folder.load();
  Status status;
  if (state.topology_text.empty()) return status;
  status.condition = is_whole(state) ? Condition::up : Condition::broken;
  status.topology_path = state.topology_path;
  status.urls = state.urls;
  if (auto topology = parse_topology(state.topology_path, state.topology_text)) status.topology = std::move(*topology);
  for (const NamedProcess& host : state.hosts) {
    status.hosts.push_back({.name = host.name, .pid = host.process.pid, .is_alive = is_alive(host.process)});
  }
  return status;
}

Result<Entry> entry_to(const std::string& name, std::string_view host, const Project& project,
                       const std::string& terminal, std::vector<std::string> argv) {
  if (auto root = require_root(); !root) return fail(std::move(root.error()));
  if (auto good = check_lab_name(name); !good) return fail(std::move(good.error()));
  const LabState state = LabFolder(name).load();
  if (state.hosts.empty()) return fail(ErrorCode::not_found, fmt::format("lab '{}' is down", name));
  const auto found = std::ranges::find(state.hosts, host, &NamedProcess::name);
  if (found == state.hosts.end()) {
    std::vector<std::string> names;
    for (const NamedProcess& known : state.hosts) names.push_back(known.name);
    return fail(ErrorCode::not_found,
                fmt::format("lab '{}' has no host '{}', but {}", name, host, fmt::join(names, ", ")));
  }
  auto init = open_process(found->process);
  if (!init) return with_context(fmt::format("host {} of lab '{}'", host, name), std::move(init.error()));
  std::error_code ignored;
  const std::string here = std::filesystem::current_path(ignored);
  const bool is_shared = here == project.root || here.starts_with(project.root + "/");
  return Entry{.init = std::move(*init),
               .argv = std::move(argv),
               .environment = host_environment(project, terminal),
               .working_folder = is_shared ? here : "/root"};
}

}  // namespace penstock::lab
