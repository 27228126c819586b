// Measures one case: every director in turns, each time next to an empty program.
#pragma once

#include <memory>
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

// One for each director, in their order. Gives up if a packet did not do what the case says.
[[nodiscard]] std::vector<Quartiles> measure(Driver& driver, const std::vector<std::unique_ptr<Director>>& directors,
                                             const PacketCase& which, u32 rounds);

}  // namespace penstock::bench
