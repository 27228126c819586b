// A frame's IP headers from the outermost to the one that carries TCP: one, or two in a tunnel.
#pragma once

#include <string>
#include <vector>

#include "tests/golden/frame.hpp"

namespace penstock::hops {

struct Layer {
  golden::Fields ip;
  std::string carries;  // what is in it: "TCP", or the tunnel "IPIP", "GRE", "GUE"
};

// Empty: no TCP segment in here.
[[nodiscard]] std::vector<Layer> layers_of(const golden::Fields& frame);

// Of any layer, the frame's own included.
[[nodiscard]] bool has_wrong_checksum(const golden::Fields& frame);

}  // namespace penstock::hops
