#include "lab/enter.hpp"

#include <fmt/format.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>

namespace penstock::lab {
namespace {

constexpr int all_namespaces = CLONE_NEWNET | CLONE_NEWNS | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWPID;

[[noreturn]] void become_command(const Entry& entry) {
  // Whoever ends `exec` means the command.
  prctl(PR_SET_PDEATHSIG, SIGTERM);
  reset_signals();
  if (chdir(entry.working_folder.c_str()) != 0 && chdir("/root") != 0) _exit(126);
  _exit(execute(entry.argv, entry.environment));
}

// A shell inside makes itself the terminal's foreground group; after it the terminal is ours again.
void take_terminal_back() {
  if (isatty(STDIN_FILENO) == 0) return;
  ::signal(SIGTTOU, SIG_IGN);
  tcsetpgrp(STDIN_FILENO, getpgrp());
}

}  // namespace

Result<int> enter_and_run(const Entry& entry) {
  // With the mount namespace come its root and working folder: no chroot is needed.
  if (setns(entry.init.get(), all_namespaces) != 0) return fail_errno("entering the host", errno);
  const pid_t pid = fork();
  if (pid < 0) return fail_errno("fork", errno);
  if (pid == 0) become_command(entry);
  // Ctrl-C goes to both; the command decides what it means.
  for (const int signal : {SIGINT, SIGQUIT}) ::signal(signal, SIG_IGN);
  int status = 0;
  while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  take_terminal_back();
  return exit_status_of(status);
}

Result<Outcome> run_inside(const Entry& entry, std::chrono::milliseconds time_max) {
  const FileDescriptor output(memfd_create("penstock-lab", MFD_CLOEXEC));
  if (!output) return fail_errno("memfd_create", errno);
  std::fflush(nullptr);
  const pid_t pid = fork();
  if (pid < 0) return fail_errno("fork", errno);
  if (pid == 0) {
    dup2(output.get(), STDOUT_FILENO);
    dup2(output.get(), STDERR_FILENO);
    const auto status = enter_and_run(entry);
    if (!status) fmt::print(stderr, "{}\n", status.error().message);
    std::fflush(nullptr);
    _exit(status.value_or(125));
  }
  const FileDescriptor pidfd(static_cast<int>(syscall(SYS_pidfd_open, pid, 0)));
  const bool ended = wait_for_end(pidfd, in(time_max));
  if (!ended) kill_process(pidfd, SIGKILL);
  int status = 0;
  waitpid(pid, &status, 0);
  if (!ended)
    return fail(ErrorCode::unavailable, fmt::format("{}: not done after {} ms", entry.argv[0], time_max.count()));
  auto text = read_file(fmt::format("/proc/self/fd/{}", output.get()));
  if (!text) return fail(std::move(text.error()));
  return Outcome{exit_status_of(status), std::move(*text)};
}

}  // namespace penstock::lab
