// The cables: bridges and veths on the switch host, made by the supervisor. Nothing is made in the machine's own network namespace.
#pragma once

#include <vector>

#include "base/result.hpp"
#include "lab/host.hpp"

namespace penstock::lab {

// Makes all of it and returns the XDP links of the ports, to be kept open while the lab lives.
[[nodiscard]] Result<std::vector<FileDescriptor>> wire(const Topology& topology, const RunningHost& switch_host,
                                                       const std::vector<RunningHost>& hosts);

// Waits until each port forwards: a port follows its peer's carrier some milliseconds later.
[[nodiscard]] Result<void> wait_for_ports(const Topology& topology, const RunningHost& switch_host);

}  // namespace penstock::lab
