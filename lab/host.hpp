// A host: one process that is pid 1 of its own network, mount, UTS, IPC and pid namespaces, and everything it starts.
//
// Killing pid 1 ends all of it, daemons, mounts and interfaces, in the kernel: nothing can be left over. It dies with its parent.
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "lab/process.hpp"
#include "lab/project.hpp"
#include "lab/topology.hpp"

namespace penstock::lab {

inline constexpr std::chrono::seconds services_time_max{60};  // the sum of what services allow themselves

struct HostPlan {
  const Topology& topology;
  const Host* host = nullptr;  // none: the switch
  const Project& project;
  std::string staging;  // an empty folder
  std::string log;      // what pid 1 and its daemons say

  [[nodiscard]] std::string name() const { return host ? host->name : std::string(switch_name); }
};

struct RunningHost {
  std::string name;
  ProcessId process;
  FileDescriptor pidfd;
  FileDescriptor channel;  // its pid 1 reports and is told to go on here
};

// The namespaces exist on return; the rest goes on in the host, beside the others.
[[nodiscard]] Result<RunningHost> start_host(const HostPlan& plan);

// Waits until the host has its root and waits for its interfaces.
[[nodiscard]] Result<void> wait_for_root(const RunningHost& host);
// Tells it that its interfaces are there.
[[nodiscard]] Result<void> go_on(const RunningHost& host);
// Waits until its services answer; gives notes for the user.
[[nodiscard]] Result<std::vector<std::string>> wait_for_services(const RunningHost& host);

}  // namespace penstock::lab
