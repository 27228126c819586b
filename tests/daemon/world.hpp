// The world of one test: a network namespace with a veth `eth0`, whose other end `peer0` is in a namespace of its own, mounts of
// its own with an empty /run and a BPF file system in it. All of it ends with the test's process.
//
//   director (this process)  eth0 10.9.0.1/24 ──── peer0 10.9.0.2/24, 10.9.0.3/24  peer
#pragma once

#include <gtest/gtest.h>
#include <sys/types.h>

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "api/director.hpp"

namespace penstock::tests {

inline constexpr std::chrono::seconds deadline{20};

// Asks again and again, until `condition` holds or the deadline has passed.
[[nodiscard]] bool comes_true(const std::function<bool()>& condition);

// A child process; killed and reaped at the end if need be.
class Process {
 public:
  explicit Process(pid_t pid) : pid_(pid) {}
  Process(Process&& other) noexcept : pid_(std::exchange(other.pid_, -1)) {}
  Process& operator=(Process&&) = delete;
  ~Process();

  [[nodiscard]] pid_t pid() const { return pid_; }
  void signal(int number) const;
  // Its exit code; 128 + the signal that ended it; -1 if it does not end before the deadline.
  int wait();

 private:
  pid_t pid_;
};

// Runs a shell command here or in the peer's namespace; whether it succeeded.
bool shell(const std::string& command);

// The daemon that was built along with this test.
std::string penstockd();

class World : public testing::Test {
 protected:
  World();
  ~World() override;
  // Skips, and says why, where namespaces or BPF are not to be had.
  void SetUp() override;

  [[nodiscard]] bool in_peer(const std::string& command) const;

  // Starts penstockd with --bpffs and these options; its words go to log().
  Process start_daemon(std::vector<std::string> options = {});
  // The same, but waits until it takes commands.
  Process start_serving_daemon(const std::vector<std::string>& options = {});
  [[nodiscard]] std::string log() const;
  [[nodiscard]] std::unique_ptr<api::Director> client() const;
  [[nodiscard]] std::string socket_path() const;
  [[nodiscard]] std::string bpffs() const { return "/run/bpf"; }

 private:
  std::unique_ptr<Process> peer_;
};

}  // namespace penstock::tests
