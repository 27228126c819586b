#include "lab/process.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <csignal>
#include <cstdio>

namespace penstock::lab {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

struct Stat {
  char state = 0;
  std::uint64_t start_ticks = 0;
};

// proc(5): the name in field 2 may hold blanks and brackets, so fields are counted from its last bracket.
Result<Stat> read_stat(pid_t pid) {
  auto text = read_file(fmt::format("/proc/{}/stat", pid));
  if (!text) return fail(std::move(text.error()));
  constexpr int state_field = 3;
  constexpr int start_field = 22;
  Stat stat;
  std::string_view rest(*text);
  rest.remove_prefix(std::min(rest.rfind(')') + 2, rest.size()));
  for (int field = state_field; field <= start_field && !rest.empty(); ++field) {
    const std::size_t end = std::min(rest.find(' '), rest.size());
    if (field == state_field) stat.state = rest[0];
    if (field == start_field) std::from_chars(rest.data(), rest.data() + end, stat.start_ticks);
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  return stat;
}

// poll's timeout in milliseconds, rounded up so that the deadline has passed when it returns 0.
int remaining_ms(Deadline deadline) {
  const auto left = std::chrono::ceil<milliseconds>(deadline - steady_clock::now());
  return static_cast<int>(std::max<milliseconds::rep>(left.count(), 0));
}

Result<FileDescriptor> memory_file(std::string_view content) {
  FileDescriptor file(memfd_create("penstock-lab", MFD_CLOEXEC));
  if (!file) return fail_errno("memfd_create", errno);
  if (::write(file.get(), content.data(), content.size()) != static_cast<ssize_t>(content.size()) ||
      lseek(file.get(), 0, SEEK_SET) != 0) {
    return fail_errno("writing to a memory file", errno);
  }
  return file;
}

Result<std::string> read_all(int fd, const std::string& name) {
  std::string content;
  std::array<char, 16384> buffer;
  for (;;) {
    const ssize_t size = ::read(fd, buffer.data(), buffer.size());
    if (size < 0 && errno == EINTR) continue;
    if (size < 0) return fail_errno("reading " + name, errno);
    if (size == 0) return content;
    content.append(buffer.data(), static_cast<std::size_t>(size));
  }
}

std::vector<char*> pointers(const std::vector<std::string>& strings) {
  std::vector<char*> all;
  for (const std::string& s : strings) all.push_back(const_cast<char*>(s.c_str()));
  all.push_back(nullptr);
  return all;
}

[[noreturn]] void become(const Invocation& invocation, int input, int output) {
  dup2(input, STDIN_FILENO);
  if (invocation.output == Output::captured) {
    dup2(output, STDOUT_FILENO);
    dup2(output, STDERR_FILENO);
  }
  _exit(execute(invocation.argv, invocation.environment));
}

Result<Outcome> wait_for(pid_t pid, const Invocation& invocation, int output) {
  const FileDescriptor pidfd(static_cast<int>(syscall(SYS_pidfd_open, pid, 0)));
  if (!wait_for_end(pidfd, in(invocation.time_max))) {
    ::kill(pid, SIGKILL);
    waitpid(pid, nullptr, 0);
    return fail(ErrorCode::unavailable,
                fmt::format("{}: not done after {} ms", fmt::join(invocation.argv, " "), invocation.time_max.count()),
                ETIMEDOUT);
  }
  int status = 0;
  waitpid(pid, &status, 0);
  lseek(output, 0, SEEK_SET);
  auto text = read_all(output, "the output of " + invocation.argv[0]);
  if (!text) return fail(std::move(text.error()));
  return Outcome{exit_status_of(status), std::move(*text)};
}

}  // namespace

Deadline in(milliseconds time) { return steady_clock::now() + time; }

Result<ProcessId> identify(pid_t pid) {
  const auto stat = read_stat(pid);
  if (!stat) return fail(stat.error());
  return ProcessId{pid, stat->start_ticks};
}

bool is_alive(const ProcessId& process) {
  const auto stat = read_stat(process.pid);
  return stat && stat->start_ticks == process.start_ticks && stat->state != 'Z' && stat->state != 'X';
}

Result<FileDescriptor> open_process(const ProcessId& process) {
  FileDescriptor pidfd(static_cast<int>(syscall(SYS_pidfd_open, process.pid, 0)));
  if (!pidfd) return fail_errno(fmt::format("opening process {}", process.pid), errno);
  // The pid may have changed hands before the open: what the fd holds is checked afterwards.
  if (!is_alive(process)) return fail(ErrorCode::not_found, fmt::format("process {} has ended", process.pid), ESRCH);
  return pidfd;
}

bool wait_for_end(const FileDescriptor& pidfd, Deadline deadline) {
  pollfd ended{.fd = pidfd.get(), .events = POLLIN, .revents = 0};
  for (;;) {
    const int ready = poll(&ended, 1, remaining_ms(deadline));
    if (ready >= 0) return ready == 1;
    if (errno != EINTR) return false;
  }
}

void kill_process(const FileDescriptor& pidfd, int signal) {
  syscall(SYS_pidfd_send_signal, pidfd.get(), signal, nullptr, 0);
}

int exit_status_of(int wait_status) {
  return WIFSIGNALED(wait_status) ? 128 + WTERMSIG(wait_status) : WEXITSTATUS(wait_status);
}

Result<Outcome> run(const Invocation& invocation) {
  auto input = memory_file(invocation.input);
  auto output = memory_file("");
  if (!input) return fail(std::move(input.error()));
  if (!output) return fail(std::move(output.error()));
  const pid_t pid = fork();
  if (pid < 0) return fail_errno("fork for " + invocation.argv[0], errno);
  if (pid == 0) become(invocation, input->get(), output->get());
  return wait_for(pid, invocation, output->get());
}

Result<std::string> run_successfully(const Invocation& invocation) {
  auto outcome = run(invocation);
  if (!outcome) return fail(std::move(outcome.error()));
  if (outcome->exit_status == 0) return std::move(outcome->output);
  while (outcome->output.ends_with('\n')) outcome->output.pop_back();
  return fail(ErrorCode::io, fmt::format("{}: exit status {}{}{}", fmt::join(invocation.argv, " "),
                                         outcome->exit_status, outcome->output.empty() ? "" : ": ", outcome->output));
}

void reset_signals() {
  for (const int signal : {SIGPIPE, SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGCHLD}) ::signal(signal, SIG_DFL);
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
}

int execute(const std::vector<std::string>& argv, const std::vector<std::string>& environment) {
  const std::string program = find_program(argv[0], environment);
  if (program.empty()) {
    fmt::print(stderr, "{}: command not found\n", argv[0]);
    std::fflush(stderr);
    return 127;
  }
  execve(program.c_str(), pointers(argv).data(), pointers(environment).data());
  fmt::print(stderr, "{}: {}\n", program, std::generic_category().message(errno));
  std::fflush(stderr);
  return 126;
}

void redirect_to_log(const std::string& log, std::vector<int> kept) {
  dup2(open("/dev/null", O_RDWR), STDIN_FILENO);
  const int output = open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0644);
  dup2(output, STDOUT_FILENO);
  dup2(output, STDERR_FILENO);
  setvbuf(stderr, nullptr, _IOLBF, 0);
  std::ranges::sort(kept);
  unsigned first = STDERR_FILENO + 1;
  for (const int fd : kept) {
    const auto stays = static_cast<unsigned>(fd);
    if (stays > first) close_range(first, stays - 1, 0);
    first = stays + 1;
  }
  close_range(first, ~0U, 0);
}

std::string find_program(const std::string& program, const std::vector<std::string>& environment) {
  if (program.find('/') != program.npos) return access(program.c_str(), X_OK) == 0 ? program : "";
  constexpr std::string_view path_is = "PATH=";
  for (const std::string& variable : environment) {
    if (!variable.starts_with(path_is)) continue;
    std::string_view path = std::string_view(variable).substr(path_is.size());
    while (!path.empty()) {
      const std::size_t end = std::min(path.find(':'), path.size());
      std::string candidate = fmt::format("{}/{}", path.substr(0, end), program);
      if (access(candidate.c_str(), X_OK) == 0) return candidate;
      path.remove_prefix(std::min(end + 1, path.size()));
    }
  }
  return "";
}

Result<std::string> read_file(const std::string& path) {
  const FileDescriptor file(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file) return fail_errno("reading " + path, errno);
  return read_all(file.get(), path);
}

Result<void> write_file(const std::string& path, std::string_view content) {
  const FileDescriptor file(open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644));
  if (!file) return fail_errno("writing " + path, errno);
  while (!content.empty()) {
    const ssize_t size = ::write(file.get(), content.data(), content.size());
    if (size < 0) return fail_errno("writing " + path, errno);
    content.remove_prefix(static_cast<std::size_t>(size));
  }
  return {};
}

}  // namespace penstock::lab
