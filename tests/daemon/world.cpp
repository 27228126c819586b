#include "tests/daemon/world.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <thread>

#include "api/client.hpp"
#include "api/socket_path.hpp"

namespace penstock::tests {
namespace {

constexpr const char* log_path = "/run/penstockd.log";

// Empty, or what could not be had.
std::string enter_own_world() {
  if (geteuid() != 0) return "this test makes network namespaces and loads BPF programs: it needs root";
  if (unshare(CLONE_NEWNET | CLONE_NEWNS) != 0) return fmt::format("unshare: {}", std::strerror(errno));
  if (mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0) return "making mounts private failed";
  if (mount("tmpfs", "/run", "tmpfs", 0, "mode=0755") != 0) return "mounting /run failed";
  if (mkdir("/run/bpf", 0700) != 0 || mount("bpf", "/run/bpf", "bpf", 0, nullptr) != 0)
    return fmt::format("mounting a BPF file system: {}", std::strerror(errno));
  return {};
}

// A process that holds a network namespace until this one ends.
std::unique_ptr<Process> start_peer() {
  int ready[2];
  if (pipe2(ready, O_CLOEXEC) != 0) return nullptr;
  const pid_t pid = fork();
  if (pid == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (unshare(CLONE_NEWNET) != 0 || write(ready[1], "", 1) != 1) _exit(1);
    for (;;) pause();
  }
  close(ready[1]);
  char byte = 0;
  const bool is_ready = read(ready[0], &byte, 1) == 1;
  close(ready[0]);
  auto peer = std::make_unique<Process>(pid);
  return is_ready ? std::move(peer) : nullptr;
}

}  // namespace

bool comes_true(const std::function<bool()>& condition) {
  constexpr std::chrono::milliseconds pause{10};
  const auto end = std::chrono::steady_clock::now() + deadline;
  while (!condition()) {
    if (std::chrono::steady_clock::now() > end) return false;
    std::this_thread::sleep_for(pause);
  }
  return true;
}

Process::~Process() {
  if (pid_ < 0) return;
  signal(SIGKILL);
  waitpid(pid_, nullptr, 0);
}

void Process::signal(int number) const {
  if (pid_ > 0) kill(pid_, number);
}

int Process::wait() {
  int status = 0;
  if (!comes_true([&] { return waitpid(pid_, &status, WNOHANG) == pid_; })) return -1;
  pid_ = -1;
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

std::string penstockd() { return std::filesystem::read_symlink("/proc/self/exe").parent_path() / "penstockd"; }

bool shell(const std::string& command) { return std::system(("exec >/dev/null 2>&1; " + command).c_str()) == 0; }

World::World() = default;
World::~World() = default;

void World::SetUp() {
  if (const std::string missing = enter_own_world(); !missing.empty()) GTEST_SKIP() << "skipped: " << missing;
  peer_ = start_peer();
  ASSERT_TRUE(peer_) << "the peer's namespace";
  ASSERT_TRUE(shell("ip link set lo up"));
  ASSERT_TRUE(shell(fmt::format("ip link add eth0 type veth peer name peer0 netns {}", peer_->pid())));
  ASSERT_TRUE(shell("ip link set eth0 up && ip addr add 10.9.0.1/24 dev eth0 && ip addr add 10.9.0.100/32 dev eth0"));
  ASSERT_TRUE(
      in_peer("ip link set lo up; ip link set peer0 up; ip addr add 10.9.0.2/24 dev peer0; "
              "ip addr add 10.9.0.3/24 dev peer0"));
}

bool World::in_peer(const std::string& command) const {
  return shell(fmt::format("nsenter -t {} -n -- bash -c '{}'", peer_->pid(), command));
}

Process World::start_daemon(std::vector<std::string> options) {
  options.insert(options.begin(), {penstockd(), "--bpffs", bpffs(), "--connections-bytes", "1M"});
  const pid_t pid = fork();
  if (pid == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    const int log = open(log_path, O_WRONLY | O_CREAT | O_TRUNC, 0644);
    dup2(log, STDERR_FILENO);
    std::vector<char*> arguments;
    for (std::string& option : options) arguments.push_back(option.data());
    arguments.push_back(nullptr);
    execv(arguments[0], arguments.data());
    _exit(127);
  }
  return Process(pid);
}

Process World::start_serving_daemon(const std::vector<std::string>& options) {
  Process daemon = start_daemon(options);
  EXPECT_TRUE(comes_true([&] { return api::connect(socket_path()).has_value(); })) << log();
  return daemon;
}

std::string World::log() const {
  std::ifstream file(log_path);
  return {std::istreambuf_iterator<char>(file), {}};
}

std::unique_ptr<api::Director> World::client() const {
  auto connected = api::connect(socket_path());
  EXPECT_TRUE(connected) << connected.error().message;
  return connected ? std::move(*connected) : nullptr;
}

std::string World::socket_path() const { return *api::control_socket_path(); }

}  // namespace penstock::tests
