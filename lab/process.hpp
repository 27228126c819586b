// Processes: which one a pid means, running a program to its end, ending a process for certain.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "lab/file_descriptor.hpp"

namespace penstock::lab {

using Deadline = std::chrono::steady_clock::time_point;
[[nodiscard]] Deadline in(std::chrono::milliseconds time);

// A pid is used again some day; together with its start time it means one process.
struct ProcessId {
  pid_t pid = 0;
  std::uint64_t start_ticks = 0;  // field 22 of /proc/PID/stat, clock ticks since boot
};

[[nodiscard]] Result<ProcessId> identify(pid_t pid);
[[nodiscard]] bool is_alive(const ProcessId& process);  // a zombie is not

// A pidfd of exactly that process; ErrorCode::not_found when it has ended.
[[nodiscard]] Result<FileDescriptor> open_process(const ProcessId& process);

// True when the process has ended by the deadline. Of a namespace's pid 1 that means: every process inside has ended too.
[[nodiscard]] bool wait_for_end(const FileDescriptor& pidfd, Deadline deadline);
void kill_process(const FileDescriptor& pidfd, int signal);

enum class Output { captured, inherited };

struct Invocation {
  std::vector<std::string> argv;         // argv[0] is looked up in the PATH of `environment`
  std::vector<std::string> environment;  // "NAME=value", nothing else is passed on
  std::string input;
  Output output = Output::captured;  // standard output and error together
  std::chrono::milliseconds time_max{10'000};
};

struct Outcome {
  int exit_status = 0;  // 128 + signal if a signal ended it, as in a shell
  std::string output;
};

[[nodiscard]] int exit_status_of(int wait_status);

// Runs it to its end and never past time_max.
[[nodiscard]] Result<Outcome> run(const Invocation& invocation);
// The same, and anything but exit status 0 is an error that quotes the output.
[[nodiscard]] Result<std::string> run_successfully(const Invocation& invocation);

// Signals as a shell passes them on: none ignored, none blocked.
void reset_signals();

// Replaces this process; returns only the exit status of a shell that could not: 127 not found, 126 not runnable.
[[nodiscard]] int execute(const std::vector<std::string>& argv, const std::vector<std::string>& environment);

// Standard input from nowhere, output and error to the end of `log`, and every other descriptor closed but `kept`.
void redirect_to_log(const std::string& log, std::vector<int> kept);

// Where `program` is found: in PATH of the environment unless it has a slash. Empty: nowhere.
[[nodiscard]] std::string find_program(const std::string& program, const std::vector<std::string>& environment);

// Reads a file to its end; /proc and /sys included.
[[nodiscard]] Result<std::string> read_file(const std::string& path);
[[nodiscard]] Result<void> write_file(const std::string& path, std::string_view content);

}  // namespace penstock::lab
