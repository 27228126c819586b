// The way from a browser on this machine into a lab: a process that listens on a port of 127.0.0.1 in the machine's own network
// namespace and connects from a host's. It dies with its parent, the supervisor.
#pragma once

#include <cstddef>
#include <string>

#include "base/result.hpp"
#include "lab/host.hpp"
#include "lab/topology.hpp"

namespace penstock::lab {

inline constexpr std::size_t forwarded_connections_max = 256;  // of one forward; more are closed at once

struct RunningForward {
  ProcessId process;
  FileDescriptor pidfd;
  std::string url;  // for the browser
};

// It listens on return. A port that is taken is an error that says so.
[[nodiscard]] Result<RunningForward> start_forward(const Forward& forward, const RunningHost& host,
                                                   const std::string& log);

}  // namespace penstock::lab
