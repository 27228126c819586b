// What people are told about a lab: who is in it, and what to type next. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "lab/topology.hpp"

namespace penstock::lab {

// One line a host: name, role, addresses, VIPs, and what `last_column` says, which has a title and a line for each host.
[[nodiscard]] std::string host_table(const Topology& topology, const std::vector<std::string>& last_column = {});

struct Guide {
  std::string command;  // "penstock lab --name x", as this user has to type it
  std::vector<std::string> urls;
};

// Lines for this topology's own hosts and VIPs.
[[nodiscard]] std::string what_to_type(const Topology& topology, const Guide& guide);

}  // namespace penstock::lab
