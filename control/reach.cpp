#include "control/reach.hpp"

#include <fmt/format.h>
#include <linux/neighbour.h>

#include <algorithm>

#include "control/images.hpp"

namespace penstock::control {
namespace {

// The kernel's NUD_VALID: states in which it sends to the address it has.
constexpr u16 usable_states = NUD_PERMANENT | NUD_NOARP | NUD_REACHABLE | NUD_PROBE | NUD_STALE | NUD_DELAY;

Reach unreachable(std::string why, std::optional<NeighbourKey> neighbour = std::nullopt) {
  return {.row = {}, .words = std::move(why), .neighbour = std::move(neighbour)};
}

// What frames that leave by a link are given: that of the device they leave the machine by.
struct Exit {
  u32 interface;
  be16 tag;
};

// Nothing, and why, if the packet path can't send that way.
tl::expected<Exit, std::string> exit_of(const Link& link, const Network& network) {
  if (!link.vlan) return Exit{.interface = link.index, .tag = {}};
  const auto parent = network.links.find(link.vlan->parent);
  const bool is_plain = link.vlan->is_8021q && link.vlan->number != 0;
  if (!is_plain) return tl::unexpected(fmt::format("the VLAN tag of interface {} is not of 802.1Q", link.name));
  if (parent == network.links.end())
    return tl::unexpected(fmt::format("interface {} is a VLAN of one that is not here", link.name));
  if (parent->second.vlan)
    return tl::unexpected(fmt::format("interface {} is a VLAN of a VLAN, and only one tag is done", link.name));
  return Exit{.interface = parent->first, .tag = big(link.vlan->number)};
}

Reach by_link(const model::Address& on_link, const Route& route, const Link& link, const Network& network) {
  const auto exit = exit_of(link, network);
  if (!exit) return unreachable(exit.error());
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
  reached.row.interface = exit->interface;
  reached.row.vlan = exit->tag;
  if (route.source) reached.row.address = image_of(*route.source);
  reached.row.mtu = route.mtu == 0 ? link.mtu : std::min(route.mtu, link.mtu);
  reached.row.state = NextHopState::resolved;
  return reached;
}

}  // namespace

void Network::take(const LinkEvent& event) {
  if (!event.removed) {
    links[event.link.index] = event.link;
    tell_addresses(event.link.index);
    return;
  }
  links.erase(event.link.index);
  own_addresses.erase(event.link.index);
  std::erase_if(neighbours, [&](const auto& entry) { return entry.first.first == event.link.index; });
}

void Network::take(const AddressEvent& event) {
  auto& addresses = own_addresses[event.own.interface];
  const auto known = std::ranges::find(addresses, event.own.address, &OwnAddress::address);
  if (event.removed && known != addresses.end())
    addresses.erase(known);
  else if (known != addresses.end())
    *known = event.own;
  else if (!event.removed)
    addresses.push_back(event.own);
  tell_addresses(event.own.interface);
}

void Network::tell_addresses(u32 interface) {
  const auto link = links.find(interface);
  if (link == links.end()) return;
  const auto first = [&](model::Family family) -> std::optional<model::Address> {
    for (const OwnAddress& own : own_addresses[interface])
      if (own.is_global && own.address.family == family) return own.address;
    return std::nullopt;
  };
  link->second.ipv4 = first(model::Family::ipv4);
  link->second.ipv6 = first(model::Family::ipv6);
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
      return {.row = {.state = NextHopState::local}, .words = "by this machine itself", .neighbour = std::nullopt};
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
