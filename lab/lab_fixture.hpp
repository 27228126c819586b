// The fixture of tests that bring real labs up. Each test has its own, named after it, and first removes what a killed predecessor
// left.
#pragma once

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <algorithm>
#include <csignal>
#include <filesystem>
#include <functional>
#include <set>
#include <string>
#include <vector>

#include "lab/lab.hpp"
#include "lab/requirements.hpp"

namespace penstock::lab {

namespace fs = std::filesystem;

inline const Project project{.root = PENSTOCK_SOURCE_DIR, .bin = PENSTOCK_BIN_DIR};

inline ino_t inode_of(const fs::path& path) {
  struct stat status{};
  return stat(path.c_str(), &status) == 0 ? status.st_ino : 0;
}

// The hosts' namespaces of a kind: pid, net.
inline std::set<ino_t> namespaces_of(const Status& status, const std::string& kind) {
  std::set<ino_t> inodes;
  for (const HostStatus& host : status.hosts)
    inodes.insert(inode_of("/proc/" + std::to_string(host.pid) + "/ns/" + kind));
  inodes.erase(0);  // of hosts that have ended
  return inodes;
}

// Everything that runs in the lab's hosts now or in their networks, as forwards do. By pid and start time: a namespace's inode is
// used again by the next lab.
inline std::vector<ProcessId> processes_of(const Status& status) {
  const auto pid_namespaces = namespaces_of(status, "pid");
  const auto networks = namespaces_of(status, "net");
  std::vector<ProcessId> processes;
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator("/proc", ignored)) {
    if (!pid_namespaces.contains(inode_of(entry.path() / "ns/pid")) &&
        !networks.contains(inode_of(entry.path() / "ns/net"))) {
      continue;
    }
    if (const auto process = identify(std::stoi(entry.path().filename()))) processes.push_back(*process);
  }
  return processes;
}

inline bool none_is_alive(const std::vector<ProcessId>& processes) { return std::ranges::none_of(processes, is_alive); }

inline std::set<std::string> interfaces_here() {
  std::set<std::string> names;
  for (const auto& entry : fs::directory_iterator("/sys/class/net")) names.insert(entry.path().filename());
  return names;
}

// Long names are cut, and stay different. There is room for the "-b" of a second lab.
inline std::string lab_name_of(std::string test) {
  constexpr std::size_t readable_size_max = 40;
  std::ranges::replace(test, '/', '-');  // of parameterised tests
  return fmt::format("test-{}-{:08x}", test.substr(0, readable_size_max), std::hash<std::string>()(test) & 0xffffffffU);
}

class LabTest : public testing::Test {
 protected:
  void SetUp() override {
    for (const Requirement& requirement : check_requirements(project)) {
      if (requirement.is_needed && !requirement.is_met) {
        GTEST_SKIP() << "SKIPPED: no lab here, for want of " << requirement.name << ": " << requirement.remark;
      }
    }
    name_ = lab_name_of(testing::UnitTest::GetInstance()->current_test_info()->name());
    ASSERT_TRUE(down(name_)) << "removing what an earlier run left";
  }

  void TearDown() override {
    if (name_.empty()) return;
    for (const std::string& name : {name_, name_ + "-b"}) {
      EXPECT_TRUE(down(name));
      EXPECT_FALSE(LabFolder(name).exists());
    }
    for (const std::string& path : files_) fs::remove(path);
  }

  // A topology file of that text, for this test only.
  std::string file_of(std::string_view text) {
    std::string path = fs::temp_directory_path() / (name_ + "-" + std::to_string(files_.size()) + ".conf");
    EXPECT_TRUE(write_file(path, text));
    files_.push_back(path);
    return path;
  }

  Result<UpReport> bring_up(const std::string& path) { return bring_up(path, name_); }
  Result<UpReport> bring_up(const std::string& path, const std::string& name) {
    return up({.name = name, .topology_path = path, .project = project});
  }
  Result<UpReport> bring_up_bare(const std::string& path) {
    return up({.name = name_, .topology_path = path, .project = project, .extent = Extent::bare});
  }

  Outcome inside(std::string_view host, std::vector<std::string> argv) { return inside(name_, host, std::move(argv)); }
  Outcome inside(const std::string& name, std::string_view host, std::vector<std::string> argv) {
    const auto entry = entry_to(name, host, project, "", std::move(argv));
    if (!entry) return {.exit_status = -1, .output = entry.error().message};
    auto outcome = run_inside(*entry);
    return outcome ? *outcome : Outcome{.exit_status = -1, .output = outcome.error().message};
  }
  std::string output_of(std::string_view host, std::vector<std::string> argv) {
    Outcome outcome = inside(host, std::move(argv));
    EXPECT_EQ(outcome.exit_status, 0) << outcome.output;
    return outcome.output;
  }

  // Nothing of the lab is left on this machine. `processes`: those that it had.
  void expect_nothing_left(const std::vector<ProcessId>& processes, const std::set<std::string>& interfaces) {
    EXPECT_TRUE(none_is_alive(processes));
    EXPECT_FALSE(LabFolder(name_).exists());
    EXPECT_EQ(interfaces_here(), interfaces);
    const std::string mounts = read_file("/proc/self/mountinfo").value_or("penstock-lab");
    EXPECT_EQ(mounts.find("penstock-lab/" + name_ + "/"), mounts.npos) << mounts;
  }

  // SIGKILL, and its end seen.
  void kill_supervisor() {
    const LabState state = LabFolder(name_).load();
    ASSERT_TRUE(state.supervisor);
    const auto supervisor = open_process(*state.supervisor);
    ASSERT_TRUE(supervisor);
    kill_process(*supervisor, SIGKILL);
    EXPECT_TRUE(wait_for_end(*supervisor, in(std::chrono::seconds(5))));
  }

  std::string name_;
  std::vector<std::string> files_;
};

}  // namespace penstock::lab
