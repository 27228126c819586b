// Where hosts and networks stand in the picture of a topology: networks are lines across, hosts are boxes above and below them, and
// a host of two networks that are neighbours is between their lines. Pure.
#pragma once

#include <cstddef>
#include <optional>
#include <vector>

#include "lab/canvas.hpp"
#include "lab/topology.hpp"

namespace penstock::lab {

inline constexpr std::size_t box_columns_min = 18;  // what an address and a link's rates need
inline constexpr std::size_t box_columns_max = 24;
inline constexpr std::size_t link_rows = 2;  // between box and line: one for each direction

enum class Side { above, below };  // of the box: where the link's network is

struct PlacedLink {
  std::size_t network = 0;  // of the topology
  std::size_t rate = 0;     // of the list of all links' rates
  Side side = Side::below;
};

struct Box {
  std::size_t host = 0;  // of the topology
  std::size_t column = 0;
  std::size_t row = 0;
  std::size_t columns = 0;
  std::size_t rows = 0;
  std::vector<PlacedLink> links;  // at most one on each side
};

struct Layout {
  std::vector<Box> boxes;
  std::vector<std::size_t> line_rows;  // of each network's line
  std::size_t rows = 0;
};

// What stands in a host's box, line by line: an address for each of its links, and the VIP.
[[nodiscard]] std::vector<std::string> lines_in_box(const Host& host);

// Nothing: such a picture does not fit, for want of room or because a host's networks are not neighbours.
[[nodiscard]] std::optional<Layout> lay_out(const Topology& topology, const Size& size);

}  // namespace penstock::lab
