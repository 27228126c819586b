#include "lab/layout.hpp"

#include <algorithm>

namespace penstock::lab {
namespace {

constexpr std::size_t border_rows = 2;

// A level is a row of boxes: 0 is above the first network's line, i + 1 below that of network i.
struct Placed {
  std::size_t host;
  std::size_t level;
  std::vector<PlacedLink> links;
};

std::size_t index_of(const Topology& topology, const Link& link) {
  const auto found = std::ranges::find(topology.networks, link.network, &Network::name);
  return static_cast<std::size_t>(found - topology.networks.begin());
}

bool asks(Role role) { return role == Role::client || role == Role::director; }

// Those that ask are above those that serve where one network has them all.
std::size_t level_of_single(const Topology& topology, const Host& host, std::size_t network) {
  if (network > 0) return network + 1;
  return topology.networks.size() > 1 || asks(host.role) ? 0 : 1;
}

std::optional<std::size_t> level_of(const Topology& topology, const Host& host) {
  const std::size_t first = index_of(topology, host.links[0]);
  if (host.links.size() == 1) return level_of_single(topology, host, first);
  const std::size_t second = index_of(topology, host.links[1]);
  const bool are_neighbours = std::max(first, second) - std::min(first, second) == 1;
  if (host.links.size() > 2 || !are_neighbours) return std::nullopt;
  return std::max(first, second);
}

std::optional<std::vector<Placed>> place(const Topology& topology) {
  std::vector<Placed> all;
  std::size_t rate = 0;
  for (std::size_t i = 0; i < topology.hosts.size(); ++i) {
    const auto level = level_of(topology, topology.hosts[i]);
    if (!level) return std::nullopt;
    Placed placed{.host = i, .level = *level, .links = {}};
    for (const Link& link : topology.hosts[i].links) {
      const std::size_t network = index_of(topology, link);
      placed.links.push_back(
          {.network = network, .rate = rate++, .side = network < *level ? Side::above : Side::below});
    }
    all.push_back(std::move(placed));
  }
  return all;
}

bool has_link(const std::vector<Placed>& hosts, Side side) {
  return std::ranges::any_of(hosts, [&](const Placed& placed) {
    return std::ranges::find(placed.links, side, &PlacedLink::side) != placed.links.end();
  });
}

// One level's boxes, from `row` on; gives the row after them.
std::size_t lay_out_level(const Topology& topology, const std::vector<Placed>& hosts, std::size_t columns,
                          std::size_t row, Layout& layout) {
  if (hosts.empty()) return row;
  if (has_link(hosts, Side::above)) row += link_rows;
  std::size_t rows = 0;
  for (const Placed& placed : hosts)
    rows = std::max(rows, lines_in_box(topology.hosts[placed.host]).size() + border_rows);
  const std::size_t cell = columns / hosts.size();
  const std::size_t width = std::min(cell - 1, box_columns_max);
  for (std::size_t i = 0; i < hosts.size(); ++i) {
    layout.boxes.push_back({.host = hosts[i].host,
                            .column = cell * i + (cell - width) / 2,
                            .row = row,
                            .columns = width,
                            .rows = rows,
                            .links = hosts[i].links});
  }
  return row + rows + (has_link(hosts, Side::below) ? link_rows : 0);
}

const model::Address& shown_of(const std::vector<model::Address>& addresses) {
  const auto ipv4 = std::ranges::find(addresses, model::Family::ipv4, &model::Address::family);
  return ipv4 == addresses.end() ? addresses[0] : *ipv4;
}

}  // namespace

std::vector<std::string> lines_in_box(const Host& host) {
  std::vector<std::string> lines;
  for (const Link& link : host.links) lines.push_back(to_string(shown_of(link.addresses)));
  if (!host.vips.empty()) lines.push_back("VIP " + to_string(shown_of(host.vips)));
  return lines;
}

std::optional<Layout> lay_out(const Topology& topology, const Size& size) {
  const auto placed = place(topology);
  if (!placed) return std::nullopt;
  Layout layout;
  std::size_t row = 0;
  for (std::size_t level = 0; level <= topology.networks.size(); ++level) {
    std::vector<Placed> hosts;
    std::ranges::copy_if(*placed, std::back_inserter(hosts), [&](const Placed& p) { return p.level == level; });
    if (hosts.size() * (box_columns_min + 1) > size.columns) return std::nullopt;
    row = lay_out_level(topology, hosts, size.columns, row, layout);
    if (level < topology.networks.size()) layout.line_rows.push_back(row++);
  }
  layout.rows = row;
  if (layout.rows > size.rows) return std::nullopt;
  return layout;
}

}  // namespace penstock::lab
