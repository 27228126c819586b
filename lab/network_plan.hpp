// What a topology means for interfaces, addresses, routes and sysctls, as text for `ip -batch`. Pure.
#pragma once

#include <sys/types.h>

#include <map>
#include <string>
#include <vector>

#include "lab/topology.hpp"

namespace penstock::lab {

struct Port {
  std::string name;       // on the switch: rs1-eth0
  std::string interface;  // in the host: eth0
  std::string bridge;
};

[[nodiscard]] std::vector<Port> ports_of(const Topology& topology, const Host& host);

// Run on the switch: bridges, and a veth to each link of each host. `pids`: each host's pid 1, by name.
[[nodiscard]] std::string switch_commands(const Topology& topology, const std::map<std::string, pid_t>& pids);

// Run in the host, once its interfaces are there.
[[nodiscard]] std::string host_commands(const Topology& topology, const Host& host);

// Written before the first interface arrives, so that it inherits them.
[[nodiscard]] std::vector<Setting> host_settings(const Topology& topology, const Host& host);
[[nodiscard]] std::vector<Setting> switch_settings();

// /etc/hosts, the same on every host.
[[nodiscard]] std::string hosts_file(const Topology& topology);

}  // namespace penstock::lab
