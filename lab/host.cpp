#include "lab/host.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <linux/sched.h>
#include <poll.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <cstdlib>
#include <sstream>

#include "lab/network_plan.hpp"
#include "lab/root_filesystem.hpp"
#include "lab/services.hpp"

namespace penstock::lab {
namespace {

using std::chrono::milliseconds;
using namespace std::chrono_literals;

constexpr milliseconds root_time_max = 10s;
constexpr std::size_t message_size_max = 16384;

// What pid 1 says: a word, then its lines.
constexpr std::string_view has_root = "root\n";
constexpr std::string_view is_ready = "ready\n";
constexpr std::string_view has_failed = "failed\n";

bool send_message(const FileDescriptor& channel, std::string_view word, std::string_view lines = "") {
  std::string message = std::string(word) + std::string(lines);
  message.resize(std::min(message.size(), message_size_max));
  return ::send(channel.get(), message.data(), message.size(), MSG_NOSIGNAL) >= 0;
}

// Empty: the other side is gone.
std::string receive_message(const FileDescriptor& channel) {
  std::string message(message_size_max, '\0');
  const ssize_t size = ::recv(channel.get(), message.data(), message.size(), 0);
  message.resize(size > 0 ? static_cast<std::size_t>(size) : 0);
  return message;
}

Result<std::string> expect(const RunningHost& host, std::string_view word, milliseconds time_max) {
  pollfd readable{.fd = host.channel.get(), .events = POLLIN, .revents = 0};
  if (poll(&readable, 1, static_cast<int>(time_max.count())) != 1) {
    return fail(ErrorCode::unavailable, fmt::format("host {}: silent for {} ms", host.name, time_max.count()),
                ETIMEDOUT);
  }
  const std::string message = receive_message(host.channel);
  if (message.starts_with(word)) return message.substr(word.size());
  if (message.starts_with(has_failed)) {
    return fail(ErrorCode::unavailable, fmt::format("host {}: {}", host.name, message.substr(has_failed.size())));
  }
  return fail(ErrorCode::unavailable, fmt::format("host {}: its pid 1 has died", host.name));
}

Result<void> write_settings(const std::vector<Setting>& settings) {
  for (const Setting& setting : settings) {
    // A kernel without IPv6 has none of its settings and needs none.
    if (setting.key.starts_with("net/ipv6/") && access("/proc/sys/net/ipv6", F_OK) != 0) continue;
    const FileDescriptor file(open(("/proc/sys/" + setting.key).c_str(), O_WRONLY | O_CLOEXEC));
    if (!file || ::write(file.get(), setting.value.data(), setting.value.size()) < 0) {
      return fail_errno(fmt::format("sysctl {} = {}", setting.key, setting.value), errno);
    }
  }
  return {};
}

Result<void> write_names(const HostPlan& plan) {
  const std::string name = plan.name();
  if (sethostname(name.c_str(), name.size()) != 0) return fail_errno("setting the host name", errno);
  // resolv.conf is a link into /run on many machines; ours is empty, so that look-ups fail at once.
  for (const char* path : {"/etc/hosts", "/etc/hostname", "/etc/resolv.conf"}) unlink(path);
  if (auto written = write_file("/etc/hosts", hosts_file(plan.topology)); !written) return written;
  if (auto written = write_file("/etc/hostname", name + "\n"); !written) return written;
  return write_file("/etc/resolv.conf", "");
}

Result<void> take_root(const HostPlan& plan) {
  if (auto entered = enter_own_root(plan.staging, plan.project); !entered) return entered;
  if (auto written = write_names(plan); !written) return written;
  return write_settings(plan.host ? host_settings(plan.topology, *plan.host) : switch_settings());
}

Result<std::vector<std::string>> take_network(const HostPlan& plan) {
  if (!plan.host) return std::vector<std::string>{};
  auto configured = run_successfully({.argv = {"ip", "-batch", "-"},
                                      .environment = tool_environment(),
                                      .input = host_commands(plan.topology, *plan.host)});
  if (!configured) return with_context("setting addresses", std::move(configured.error()));
  if (chdir(plan.project.root.c_str()) != 0) return fail_errno("entering " + plan.project.root, errno);
  return start_services(*plan.host, host_environment(plan.project, ""));
}

[[noreturn]] void reap_for_ever() {
  sigset_t child_ended;
  sigemptyset(&child_ended);
  sigaddset(&child_ended, SIGCHLD);
  sigprocmask(SIG_BLOCK, &child_ended, nullptr);
  for (;;) {
    int status = 0;
    const pid_t pid = waitpid(-1, &status, 0);
    if (pid > 0 && status != 0) {
      fmt::print(stderr, "penstock-lab: process {} ended with status {}\n", pid, exit_status_of(status));
    }
    if (pid < 0) sigwaitinfo(&child_ended, nullptr);
  }
}

// Servers with many connections want descriptors; the soft limit is a thousand on most machines.
void raise_file_limit() {
  rlimit limit{};
  getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
}

[[noreturn]] void give_up(const FileDescriptor& channel, const Error& error) {
  fmt::print(stderr, "penstock-lab: {}\n", error.message);
  send_message(channel, has_failed, error.message);
  _exit(1);
}

[[noreturn]] void live_as_init(const HostPlan& plan, const FileDescriptor& channel) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  prctl(PR_SET_NAME, ("lab:" + plan.name()).c_str());
  clearenv();  // what services get is said in host_environment
  reset_signals();
  redirect_to_log(plan.log, {channel.get()});
  raise_file_limit();
  umask(022);

  if (auto root = take_root(plan); !root) give_up(channel, root.error());
  send_message(channel, has_root);
  // An empty message means that the supervisor died before PR_SET_PDEATHSIG could tell.
  if (receive_message(channel).empty()) _exit(1);
  const auto notes = take_network(plan);
  if (!notes) give_up(channel, notes.error());
  std::string lines;
  for (const std::string& note : *notes) lines += note + '\n';
  send_message(channel, is_ready, lines);
  reap_for_ever();
}

}  // namespace

Result<RunningHost> start_host(const HostPlan& plan) {
  std::array<int, 2> pair{};
  if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair.data()) != 0) return fail_errno("socketpair", errno);
  FileDescriptor ours(pair[0]);
  const FileDescriptor theirs(pair[1]);
  int pidfd = -1;
  clone_args arguments{};
  arguments.flags = CLONE_NEWNET | CLONE_NEWNS | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWPID | CLONE_PIDFD;
  arguments.pidfd = reinterpret_cast<std::uintptr_t>(&pidfd);
  arguments.exit_signal = SIGCHLD;
  const auto pid = static_cast<pid_t>(syscall(SYS_clone3, &arguments, sizeof arguments));
  if (pid < 0) return fail_errno(fmt::format("host {}: new namespaces", plan.name()), errno);
  if (pid == 0) live_as_init(plan, theirs);
  RunningHost host{.name = plan.name(), .process = {}, .pidfd = FileDescriptor(pidfd), .channel = std::move(ours)};
  const auto process = identify(pid);
  if (!process) return fail(process.error());
  host.process = *process;
  return host;
}

Result<void> wait_for_root(const RunningHost& host) {
  const auto message = expect(host, has_root, root_time_max);
  if (!message) return fail(message.error());
  return {};
}

Result<void> go_on(const RunningHost& host) {
  if (!send_message(host.channel, "go\n")) return fail_errno(fmt::format("host {}", host.name), errno);
  return {};
}

Result<std::vector<std::string>> wait_for_services(const RunningHost& host) {
  const auto message = expect(host, is_ready, services_time_max);
  if (!message) return fail(message.error());
  std::vector<std::string> notes;
  std::istringstream lines(*message);
  for (std::string line; std::getline(lines, line);) notes.push_back(line);
  return notes;
}

}  // namespace penstock::lab
