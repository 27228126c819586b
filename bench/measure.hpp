// Measures cases in turns, each next to an empty program.
#pragma once

#include <span>
#include <vector>

#include "bench/director.hpp"
#include "bench/driver.hpp"
#include "bench/packet_case.hpp"

namespace penstock::bench {

// Nanoseconds per packet, net of the empty program: quartiles over the rounds.
struct Quartiles {
  double low;
  double median;
  double high;
};

// A director that does a case. Several subjects may share one that serves the same cluster with as many connections.
struct Subject {
  Director* director;
  PacketCase which;
};

struct Measured {
  Quartiles ns;
  double more_than_first;  // median of the rounds' differences to the first subject
};

// One for each subject, in their order. Gives up if a packet did not do what its case says.
[[nodiscard]] std::vector<Measured> measure(Driver& driver, std::span<const Subject> subjects, u32 rounds);

// Nanoseconds of each of `packets` packets in one go, net.
[[nodiscard]] double measure_once(Driver& driver, const Director& director, const PacketCase& which, u32 packets);

}  // namespace penstock::bench
