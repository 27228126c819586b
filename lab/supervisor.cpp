#include "lab/supervisor.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <sstream>

#include "lab/switch.hpp"

namespace penstock::lab {
namespace {

using namespace std::chrono_literals;

constexpr auto start_time_max = 90s;  // above the sum of the waits inside, so that those speak first
constexpr auto host_end_time_max = 5s;
constexpr std::size_t quoted_log_size_max = 4000;

constexpr std::string_view is_ready = "ready\n";
constexpr std::string_view has_failed = "failed\n";

std::string quote_log(const LabFolder& folder, const std::string& host) {
  const auto text = read_file(folder.log(host));
  if (!text || text->empty()) return fmt::format("\n(the log of {} is empty)", host);
  const std::size_t skipped = text->size() > quoted_log_size_max ? text->size() - quoted_log_size_max : 0;
  return fmt::format("\n--- the log of {} ---\n{}", host, text->substr(skipped));
}

class Supervisor {
 public:
  explicit Supervisor(const SupervisorPlan& plan) : plan_(plan) {}

  Result<std::vector<std::string>> bring_up() {
    if (auto done = start_hosts(); !done) return fail(std::move(done.error()));
    if (auto done = save(); !done) return fail(std::move(done.error()));
    if (auto done = connect_hosts(); !done) return fail(std::move(done.error()));
    auto notes = finish_hosts();
    if (!notes) return notes;
    if (auto done = wait_for_ports(plan_.topology, hosts_.back()); !done) return fail(std::move(done.error()));
    if (auto done = plan_.folder.mark_ready(); !done) return fail(std::move(done.error()));
    return notes;
  }

  // Reaps until it is told to end.
  void hold(int told_to_end, int child_ended) {
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, told_to_end);
    sigaddset(&signals, child_ended);
    for (;;) {
      const int signal = sigwaitinfo(&signals, nullptr);
      if (signal == told_to_end) return;
      int status = 0;
      for (pid_t pid; (pid = waitpid(-1, &status, WNOHANG)) > 0;) report_death(pid, status);
    }
  }

  // And reaps them: some machines' own pid 1 is slow to.
  void end_all() {
    for (const RunningHost& host : hosts_) kill_process(host.pidfd, SIGKILL);
    for (const RunningHost& host : hosts_) {
      if (!wait_for_end(host.pidfd, in(host_end_time_max))) fmt::print(stderr, "{} does not end\n", host.name);
    }
    while (waitpid(-1, nullptr, WNOHANG) > 0) {
    }
  }

 private:
  // The switch is the last.
  Result<void> start_hosts() {
    for (const Host& host : plan_.topology.hosts) {
      if (auto started = start(&host); !started) return started;
    }
    return start(nullptr);
  }

  Result<void> start(const Host* host) {
    HostPlan plan{.topology = plan_.topology,
                  .host = host,
                  .project = plan_.project,
                  .staging = plan_.folder.staging(),
                  .log = ""};
    plan.log = plan_.folder.log(plan.name());
    auto started = start_host(plan);
    if (!started) return fail(std::move(started.error()));
    hosts_.push_back(std::move(*started));
    return {};
  }

  Result<void> save() {
    const auto self = identify(getpid());
    if (!self) return fail(self.error());
    std::vector<NamedProcess> processes;
    for (const RunningHost& host : hosts_) processes.push_back({host.name, host.process});
    return plan_.folder.save_processes(*self, processes);
  }

  Result<void> connect_hosts() {
    for (const RunningHost& host : hosts_) {
      if (auto waited = wait_for_root(host); !waited) return with_log(host, std::move(waited.error()));
    }
    auto links = wire(plan_.topology, hosts_.back(), hosts_);
    if (!links) return fail(std::move(links.error()));
    xdp_links_ = std::move(*links);
    return {};
  }

  Result<std::vector<std::string>> finish_hosts() {
    for (const RunningHost& host : hosts_) {
      if (auto told = go_on(host); !told) return with_log(host, std::move(told.error()));
    }
    std::vector<std::string> all_notes;
    for (const RunningHost& host : hosts_) {
      const auto notes = wait_for_services(host);
      if (!notes) return with_log(host, notes.error());
      all_notes.insert(all_notes.end(), notes->begin(), notes->end());
    }
    return all_notes;
  }

  tl::unexpected<Error> with_log(const RunningHost& host, Error error) {
    error.message += quote_log(plan_.folder, host.name);
    return fail(std::move(error));
  }

  void report_death(pid_t pid, int status) {
    for (const RunningHost& host : hosts_) {
      if (host.process.pid == pid) fmt::print(stderr, "{} ended with status {}\n", host.name, exit_status_of(status));
    }
  }

  const SupervisorPlan& plan_;
  std::vector<RunningHost> hosts_;
  std::vector<FileDescriptor> xdp_links_;
};

// Away from the caller's terminal and files.
void detach(const SupervisorPlan& plan, const FileDescriptor& report) {
  prctl(PR_SET_NAME, "lab:supervisor");
  prctl(PR_SET_CHILD_SUBREAPER, 1);
  if (chdir("/") != 0) std::abort();
  umask(022);
  redirect_to_log(plan.folder.log("supervisor"), {report.get(), plan.lock.get()});
}

void block_signals() {
  ::signal(SIGPIPE, SIG_IGN);
  sigset_t signals;
  sigemptyset(&signals);
  for (const int signal : {SIGTERM, SIGCHLD, SIGINT, SIGHUP}) sigaddset(&signals, signal);
  sigprocmask(SIG_SETMASK, &signals, nullptr);
}

// False: nobody reads it any more, so nobody would know of this lab.
bool send_report(const FileDescriptor& report, const Result<std::vector<std::string>>& result) {
  std::string text(result ? is_ready : has_failed);
  if (result) {
    for (const std::string& note : *result) text += note + '\n';
  } else {
    text += result.error().message;
  }
  return ::write(report.get(), text.data(), text.size()) == static_cast<ssize_t>(text.size());
}

[[noreturn]] void supervise(const SupervisorPlan& plan, FileDescriptor report) {
  detach(plan, report);
  block_signals();
  Supervisor supervisor(plan);
  const auto result = supervisor.bring_up();
  if (!result) {
    fmt::print(stderr, "{}\n", result.error().message);
    supervisor.end_all();  // before the report: who reads it finds nothing running
  }
  const bool is_known = send_report(report, result);
  if (!is_known) supervisor.end_all();
  report.reset();
  close(plan.lock.get());
  if (result && is_known) supervisor.hold(SIGTERM, SIGCHLD);
  supervisor.end_all();
  _exit(result ? 0 : 1);
}

Result<std::vector<std::string>> read_report(const FileDescriptor& report) {
  std::string text;
  std::array<char, 4096> buffer;
  const Deadline deadline = in(start_time_max);
  for (;;) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
    pollfd readable{.fd = report.get(), .events = POLLIN, .revents = 0};
    if (left.count() <= 0 || poll(&readable, 1, static_cast<int>(left.count())) == 0) {
      return fail(ErrorCode::unavailable, "the lab's supervisor is silent", ETIMEDOUT);
    }
    const ssize_t size = ::read(report.get(), buffer.data(), buffer.size());
    if (size <= 0) break;
    text.append(buffer.data(), static_cast<std::size_t>(size));
  }
  if (text.starts_with(has_failed)) return fail(ErrorCode::unavailable, text.substr(has_failed.size()));
  if (!text.starts_with(is_ready)) return fail(ErrorCode::unavailable, "the lab's supervisor has died");
  std::vector<std::string> notes;
  std::istringstream lines(text.substr(is_ready.size()));
  for (std::string line; std::getline(lines, line);) notes.push_back(line);
  return notes;
}

}  // namespace

Result<std::vector<std::string>> start_supervisor(const SupervisorPlan& plan) {
  std::array<int, 2> pipe{};
  if (pipe2(pipe.data(), O_CLOEXEC) != 0) return fail_errno("pipe", errno);
  const FileDescriptor report(pipe[0]);
  FileDescriptor writer(pipe[1]);
  std::fflush(nullptr);
  // Two forks: the supervisor is nobody's child here, so its end leaves no zombie to the caller.
  const pid_t between = fork();
  if (between < 0) return fail_errno("fork", errno);
  if (between == 0) {
    setsid();
    if (fork() == 0) supervise(plan, std::move(writer));
    _exit(0);
  }
  waitpid(between, nullptr, 0);
  writer.reset();
  return read_report(report);
}

}  // namespace penstock::lab
