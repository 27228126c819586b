#include "lab/requirements.hpp"

#include <fmt/format.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <functional>
#include <iterator>
#include <set>

#include "lab/process.hpp"
#include "lab/wordpress_requirements.hpp"
#include "lab/xdp_pass.hpp"

namespace penstock::lab {
namespace {

struct Tool {
  const char* program;
  const char* package;
  bool is_needed;
  const char* used_for;
};

constexpr Tool tools[] = {
    {"ip", "iproute2", true, "interfaces and addresses"},
    {"nginx", "nginx", true, "the real servers' pages"},
    {"curl", "curl", true, "the client"},
    {"wrk", "wrk", true, "load in the demonstration"},
    {"vsftpd", "vsftpd", false, "the FTP server of tests"},
    {"ethtool", "ethtool", false, "looking at offloads and driver counters"},
    {"tcpdump", "tcpdump", false, "looking at packets"},
};

// In a child, in namespaces of its own: the machine sees nothing of it.
Requirement try_apart(std::string name, int namespaces, const std::function<Result<void>()>& attempt) {
  std::array<int, 2> pipe{};
  Requirement requirement{.name = std::move(name), .package = ""};
  if (pipe2(pipe.data(), O_CLOEXEC) != 0) return requirement;
  const FileDescriptor reader(pipe[0]);
  FileDescriptor writer(pipe[1]);
  const pid_t pid = fork();
  if (pid == 0) {
    auto result = unshare(namespaces) == 0 ? attempt() : fail_errno("new namespaces", errno);
    if (!result) dprintf(writer.get(), "%s", result.error().message.c_str());
    _exit(result ? 0 : 1);
  }
  writer.reset();
  std::array<char, 512> message{};
  const ssize_t size = ::read(reader.get(), message.data(), message.size());
  int status = 1;
  if (pid > 0) waitpid(pid, &status, 0);
  requirement.is_met = status == 0;
  if (size > 0) requirement.remark.assign(message.data(), static_cast<std::size_t>(size));
  return requirement;
}

Result<void> mount_an_overlay() {
  if (mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0) return fail_errno("private mounts", errno);
  if (mount("tmpfs", "/tmp", "tmpfs", 0, nullptr) != 0) return fail_errno("tmpfs", errno);
  for (const char* folder : {"/tmp/upper", "/tmp/work", "/tmp/root"}) mkdir(folder, 0755);
  if (mount("overlay", "/tmp/root", "overlay", 0, "lowerdir=/,upperdir=/tmp/upper,workdir=/tmp/work") != 0) {
    return fail_errno("overlay over /", errno);
  }
  return {};
}

Result<void> make_a_bridge_with_xdp() {
  auto made = run_successfully(
      {.argv = {"ip", "-batch", "-"},
       .environment = tool_environment(),
       .input = "link add br0 type bridge\nlink add port0 type veth peer name port1\nlink set port0 master br0\n"});
  if (!made) return fail(std::move(made.error()));
  const auto link = attach_xdp_pass("port0");
  if (!link) return fail(link.error());
  return {};
}

Requirement check_tool(const Tool& tool) {
  return {.name = tool.program,
          .is_met = !find_program(tool.program, tool_environment()).empty(),
          .is_needed = tool.is_needed,
          .package = tool.package,
          .remark = tool.used_for};
}

Requirement check_built(const Project& project, const std::string& program) {
  return {.name = program,
          .is_met = access((project.bin + "/" + program).c_str(), X_OK) == 0,
          .is_needed = false,
          .package = "",
          .remark = "built into " + project.bin};
}

}  // namespace

std::vector<Requirement> check_requirements(const Project& project) {
  std::vector<Requirement> all;
  all.push_back({.name = "root", .is_met = geteuid() == 0, .package = "", .remark = "namespaces, mounts and BPF"});
  for (const Tool& tool : tools) all.push_back(check_tool(tool));
  all.push_back(try_apart("overlay", CLONE_NEWNS, mount_an_overlay));
  all.push_back(try_apart("native XDP on veth, bridge", CLONE_NEWNET, make_a_bridge_with_xdp));
  for (const char* program : {"penstockd", "ipvsadm"}) all.push_back(check_built(project, program));
  std::ranges::move(check_wordpress_requirements(project), std::back_inserter(all));
  return all;
}

std::string install_command(const std::vector<Requirement>& requirements) {
  std::set<std::string> packages;
  for (const Requirement& requirement : requirements) {
    if (!requirement.is_met && !requirement.package.empty()) packages.insert(requirement.package);
  }
  if (packages.empty()) return "";
  std::string command = "apt-get install -y --no-install-recommends";
  for (const std::string& package : packages) command += " " + package;
  return command;
}

}  // namespace penstock::lab
