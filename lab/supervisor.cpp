#include "lab/supervisor.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <csignal>

#include "lab/forward.hpp"
#include "lab/switch.hpp"
#include "lab/then.hpp"

namespace penstock::lab {
namespace {

using namespace std::chrono_literals;

constexpr auto host_end_time_max = 5s;
constexpr std::size_t quoted_log_size_max = 4000;

std::string quote_log(const LabFolder& folder, const std::string& host) {
  const auto text = read_file(folder.log(host));
  if (!text || text->empty()) return fmt::format("\n(the log of {} is empty)", host);
  const std::size_t skipped = text->size() > quoted_log_size_max ? text->size() - quoted_log_size_max : 0;
  return fmt::format("\n--- the log of {} ---\n{}", host, text->substr(skipped));
}

std::string names_of(const std::vector<const RunningHost*>& hosts) {
  std::string names;
  for (const RunningHost* host : hosts) names += (names.empty() ? "" : ", ") + host->name;
  return names;
}

std::string count_of(const std::vector<std::string>& things, std::string_view name) {
  return fmt::format("{} {}{}", things.size(), name, things.size() == 1 ? "" : "s");
}

// The first that has something to say; nullptr: none in time.
const RunningHost* next_to_speak(const std::vector<const RunningHost*>& hosts) {
  std::vector<pollfd> channels;
  for (const RunningHost* host : hosts) channels.push_back({.fd = host->channel.get(), .events = POLLIN, .revents = 0});
  poll(channels.data(), channels.size(), static_cast<int>(std::chrono::milliseconds(services_time_max).count()));
  const auto found = std::ranges::find_if(channels, [](const pollfd& channel) { return channel.revents != 0; });
  return found == channels.end() ? nullptr : hosts[static_cast<std::size_t>(found - channels.begin())];
}

Error silence_of(const RunningHost& host) {
  return {ErrorCode::unavailable, fmt::format("host {}: silent for {} s", host.name, services_time_max.count()),
          ETIMEDOUT};
}

class Supervisor {
 public:
  Supervisor(const SupervisorPlan& plan, const FileDescriptor& report) : plan_(plan), report_(report) {}

  // The notes for the user.
  Result<std::vector<std::string>> bring_up() {
    using Step = Result<void> (Supervisor::*)();
    for (const Step step : {&Supervisor::start_hosts, &Supervisor::save, &Supervisor::connect_hosts,
                            &Supervisor::finish_hosts, &Supervisor::wait_for_switch, &Supervisor::go_further}) {
      if (auto done = (this->*step)(); !done) return fail(std::move(done.error()));
    }
    if (auto done = plan_.folder.mark_ready(); !done) return fail(std::move(done.error()));
    return notes_;
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
    for (const RunningForward& forward : forwards_) kill_process(forward.pidfd, SIGKILL);
    for (const RunningHost& host : hosts_) {
      if (!wait_for_end(host.pidfd, in(host_end_time_max))) fmt::print(stderr, "{} does not end\n", host.name);
    }
    for (const RunningForward& forward : forwards_) (void)wait_for_end(forward.pidfd, in(host_end_time_max));
    while (waitpid(-1, nullptr, WNOHANG) > 0) {
    }
  }

 private:
  Result<void> tell(Progress::Kind kind, std::string text) {
    return report_progress(report_, {.kind = kind, .text = std::move(text)});
  }

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

  Result<void> finish_hosts() {
    std::vector<const RunningHost*> awaited;
    for (const RunningHost& host : hosts_) {
      if (auto told = go_on(host); !told) return with_log(host, std::move(told.error()));
      awaited.push_back(&host);
    }
    while (!awaited.empty()) {
      if (auto told = tell(Progress::Kind::awaited, names_of(awaited)); !told) return told;
      const RunningHost* host = next_to_speak(awaited);
      if (host == nullptr) return with_log(*awaited[0], silence_of(*awaited[0]));
      if (auto finished = finish(*host); !finished) return finished;
      std::erase(awaited, host);
    }
    return {};
  }

  Result<void> finish(const RunningHost& host) {
    auto notes = wait_for_services(host);
    if (!notes) return with_log(host, std::move(notes.error()));
    notes_.insert(notes_.end(), notes->begin(), notes->end());
    return tell(Progress::Kind::done, host.name);
  }

  Result<void> wait_for_switch() { return wait_for_ports(plan_.topology, hosts_.back()); }

  // What a bare lab does not have.
  Result<void> go_further() {
    if (plan_.extent == Extent::bare) return {};
    for (std::size_t i = 0; i < plan_.topology.hosts.size(); ++i) {
      if (auto done = run_thens(plan_.topology.hosts[i], hosts_[i]); !done) return done;
    }
    for (std::size_t i = 0; i < plan_.topology.hosts.size(); ++i) {
      for (const Forward& forward : plan_.topology.hosts[i].forwards) start(forward, hosts_[i]);
    }
    std::vector<std::string> urls;
    for (const RunningForward& forward : forwards_) urls.push_back(forward.url);
    return plan_.folder.save_urls(urls);
  }

  Result<void> run_thens(const Host& host, const RunningHost& running) {
    for (const std::string& line : host.thens) {
      if (auto told = tell(Progress::Kind::awaited, fmt::format("{}: {}", host.name, line)); !told) return told;
      if (auto done = run_then(running, line, plan_.project, plan_.folder.log(host.name)); !done) {
        return with_log(running, std::move(done.error()));
      }
    }
    if (host.thens.empty()) return {};
    return tell(Progress::Kind::done, fmt::format("{}: {}", host.name, count_of(host.thens, "command")));
  }

  // A lab whose port is another's is a lab all the same.
  void start(const Forward& forward, const RunningHost& host) {
    auto started = start_forward(forward, host, plan_.folder.log("supervisor"));
    if (started) {
      forwards_.push_back(std::move(*started));
    } else {
      notes_.push_back(fmt::format("{}: no browser here reaches {} until the topology's `forward` has a free port",
                                   started.error().message, to_string(forward.to)));
    }
  }

  tl::unexpected<Error> with_log(const RunningHost& host, Error error) {
    error.message += quote_log(plan_.folder, host.name);
    return fail(std::move(error));
  }

  void report_death(pid_t pid, int status) {
    for (const RunningHost& host : hosts_) {
      if (host.process.pid == pid) fmt::print(stderr, "{} ended with status {}\n", host.name, exit_status_of(status));
    }
    for (const RunningForward& forward : forwards_) {
      if (forward.process.pid != pid) continue;
      fmt::print(stderr, "the forward at {} ended with status {}\n", forward.url, exit_status_of(status));
    }
  }

  const SupervisorPlan& plan_;
  const FileDescriptor& report_;
  std::vector<RunningHost> hosts_;  // as in the topology, then the switch
  std::vector<RunningForward> forwards_;
  std::vector<std::string> notes_;
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

[[noreturn]] void supervise(const SupervisorPlan& plan, FileDescriptor report) {
  detach(plan, report);
  block_signals();
  Supervisor supervisor(plan, report);
  const auto result = supervisor.bring_up();
  if (!result) {
    fmt::print(stderr, "{}\n", result.error().message);
    supervisor.end_all();  // before the report: who reads it finds nothing running
  }
  const bool is_known = report_end(report, result).has_value();
  if (!is_known) supervisor.end_all();
  report.reset();
  close(plan.lock.get());
  if (result && is_known) supervisor.hold(SIGTERM, SIGCHLD);
  supervisor.end_all();
  _exit(result ? 0 : 1);
}

}  // namespace

Result<std::vector<std::string>> start_supervisor(const SupervisorPlan& plan, const OnProgress& on_progress) {
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
  return read_report(report, on_progress);
}

}  // namespace penstock::lab
