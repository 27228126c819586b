// A topology drawn as text, with what flows on each link. Pure.
#pragma once

#include <string>
#include <vector>

#include "lab/canvas.hpp"
#include "lab/topology.hpp"
#include "lab/traffic.hpp"

namespace penstock::lab {

struct Caption {
  std::string above;
  std::string below;
};

// `flows`: as from `rates`. Where the topology can't be drawn in that size the links are listed.
[[nodiscard]] Canvas draw(const Topology& topology, const std::vector<LinkRate>& flows, const Caption& caption,
                          const Size& size);

}  // namespace penstock::lab
