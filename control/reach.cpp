#include "control/reach.hpp"

#include <fmt/format.h>
#include <linux/neighbour.h>

#include <algorithm>

namespace penstock::control {
namespace {

// The kernel's NUD_VALID: states in which it sends to the address it has.
constexpr u16 usable_states = NUD_PERMANENT | NUD_NOARP | NUD_REACHABLE | NUD_PROBE | NUD_STALE | NUD_DELAY;

Reach unreachable(std::string why, std::optional<NeighbourKey> neighbour = std::nullopt) {
  return {.row = {}, .words = std::move(why), .neighbour = std::move(neighbour)};
}

Reach by_link(const model::Address& on_link, const Route& route, const Link& link, const Network& network) {
  const NeighbourKey key{link.index, on_link};
  const auto found = network.neighbours.find(key);
  if (found == network.neighbours.end() || found->second.state == NUD_NONE || found->second.state == NUD_INCOMPLETE)
    return unreachable(fmt::format("waiting for the MAC address of {} on {}", to_string(on_link), link.name), key);
  const Neighbour& neighbour = found->second;
  if ((neighbour.state & usable_states) == 0 || !neighbour.mac)
    return unreachable(fmt::format("nobody answers for {} on {}", to_string(on_link), link.name), key);

  Reach reached{.row = {}, .words = fmt::format("by {}, {}", link.name, to_string(*neighbour.mac)), .neighbour = key};
  std::ranges::copy(*neighbour.mac, reached.row.destination);
  std::ranges::copy(link.mac, reached.row.source);
  reached.row.interface = link.index;
  reached.row.mtu = route.mtu == 0 ? link.mtu : std::min(route.mtu, link.mtu);
  reached.row.state = NextHopState::resolved;
  return reached;
}

}  // namespace

void Network::take(const LinkEvent& event) {
  if (!event.removed) {
    links[event.link.index] = event.link;
    return;
  }
  links.erase(event.link.index);
  std::erase_if(neighbours, [&](const auto& entry) { return entry.first.first == event.link.index; });
}

void Network::take(const NeighbourEvent& event) {
  const NeighbourKey key{event.neighbour.interface, event.neighbour.address};
  if (event.removed)
    neighbours.erase(key);
  else
    neighbours[key] = event.neighbour;
}

Reach reach(const model::Address& server, const Route& route, const Network& network) {
  switch (route.kind) {
    case Route::Kind::refused:
      return unreachable("there is no route to it");
    case Route::Kind::local:
      return unreachable("it is an address of this machine, and serving locally is not done yet");
    case Route::Kind::unicast:
      break;
  }
  const auto found = network.links.find(route.interface);
  if (found == network.links.end()) return unreachable(fmt::format("interface {} is not known", route.interface));
  const Link& link = found->second;
  if (!link.is_up) return unreachable(fmt::format("interface {} is down", link.name));
  if (!link.is_ethernet) return unreachable(fmt::format("interface {} is not Ethernet", link.name));
  return by_link(route.gateway.value_or(server), route, link, network);
}

std::string to_string(const Mac& mac) {
  return fmt::format("{:02x}:{:02x}:{:02x}:{:02x}:{:02x}:{:02x}", mac[0], mac[1], mac[2], mac[3], mac[4], mac[5]);
}

}  // namespace penstock::control
