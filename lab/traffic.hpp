// What flows on a lab's links: the switch's ports count it, whatever the hosts' own programs do with the packets.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "lab/topology.hpp"

namespace penstock::lab {

struct Counters {
  std::uint64_t packets = 0;
  std::uint64_t bytes = 0;
};

struct LinkCounters {
  Counters from_host;
  Counters to_host;
};

// In the order of the topology's hosts and of their links.
using Traffic = std::vector<LinkCounters>;

// `switch_pid`: the switch's pid 1. Not found: the lab has ended.
[[nodiscard]] Result<Traffic> read_traffic(const Topology& topology, pid_t switch_pid);

struct Rate {
  double packets = 0;  // each second
  double bits = 0;
};

struct LinkRate {
  Rate from_host;
  Rate to_host;
};

// Between two readings of one lab, `apart` from each other. Pure.
[[nodiscard]] std::vector<LinkRate> rates(const Traffic& before, const Traffic& after,
                                          std::chrono::duration<double> apart);

// Three digits at most and a unit: "0", "950", "1.23k", "12.3M". Five characters are enough up to 999 T.
[[nodiscard]] std::string short_number(double number);

}  // namespace penstock::lab
