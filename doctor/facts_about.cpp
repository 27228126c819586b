#include "doctor/facts_about.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace penstock::doctor {
namespace {

void add_once(std::vector<model::Address>& to, const model::Address& address) {
  if (std::ranges::find(to, address) == to.end()) to.push_back(address);
}

// What a firewall mark's rules name by itself: a whole network would not tell which of its addresses are virtual.
void add_marked(std::vector<model::Address>& to, const Director& director, const model::ServiceKey& key) {
  for (const model::MarkRule& rule : director.mark_rules) {
    const bool is_meant = rule.mark == key.fwmark && rule.family == key.vip.address.family;
    if (is_meant && rule.destination.length == model::prefix_length_max(rule.family))
      add_once(to, rule.destination.address);
  }
}

template <typename All, typename Test>
auto find_where(const All& all, Test test) -> decltype(&*all.begin()) {
  const auto found = std::ranges::find_if(all, test);
  return found == all.end() ? nullptr : &*found;
}

}  // namespace

std::string to_string(const Mac& mac) {
  return fmt::format("{:02x}:{:02x}:{:02x}:{:02x}:{:02x}:{:02x}", mac[0], mac[1], mac[2], mac[3], mac[4], mac[5]);
}

const Interface* find_interface(const Facts& facts, std::uint32_t index) {
  return find_where(facts.interfaces, [&](const Interface& interface) { return interface.index == index; });
}

const Interface* find_interface(const Facts& facts, const std::string& name) {
  return find_where(facts.interfaces, [&](const Interface& interface) { return interface.name == name; });
}

const Way* find_way(const Facts& facts, const model::Address& to) {
  return find_where(facts.ways, [&](const Way& way) { return way.to == to; });
}

const Neighbour* find_neighbour(const Facts& facts, std::uint32_t interface, const model::Address& of) {
  return find_where(facts.neighbours, [&](const Neighbour& neighbour) {
    return neighbour.interface == interface && neighbour.address == of;
  });
}

const Holders* find_holders(const Facts& facts, std::uint32_t interface, const model::Address& of) {
  return find_where(facts.holders,
                    [&](const Holders& holders) { return holders.interface == interface && holders.address == of; });
}

std::string name_of_interface(const Facts& facts, std::uint32_t index) {
  const Interface* interface = find_interface(facts, index);
  return interface ? interface->name : fmt::format("interface {}", index);
}

std::vector<OwnAddress> places_of(const Facts& facts, const model::Address& address) {
  std::vector<OwnAddress> places;
  for (const OwnAddress& own : facts.addresses)
    if (own.address == address) places.push_back(own);
  return places;
}

std::vector<std::uint32_t> links_with(const Facts& facts, const model::Address& address) {
  std::vector<std::uint32_t> links;
  for (const OwnAddress& own : facts.addresses) {
    const Interface* interface = find_interface(facts, own.interface);
    if (!interface || interface->is_loopback || own.prefix_length == host_length(own.address.family)) continue;
    if (!contains(model::make_prefix(own.address, own.prefix_length), address)) continue;
    if (std::ranges::find(links, own.interface) == links.end()) links.push_back(own.interface);
  }
  return links;
}

std::vector<model::Address> virtual_addresses(const Director& director) {
  std::vector<model::Address> vips;
  for (const api::ServiceView& view : director.services) {
    const model::ServiceKey& key = view.service.key;
    if (key.fwmark == 0)
      add_once(vips, key.vip.address);
    else
      add_marked(vips, director, key);
  }
  return vips;
}

std::vector<std::uint32_t> entrances_of(const Facts& facts, const model::Address& vip) {
  std::vector<std::uint32_t> entrances = links_with(facts, vip);
  for (const OwnAddress& own : places_of(facts, vip)) {
    const Interface* interface = find_interface(facts, own.interface);
    const bool is_known = std::ranges::find(entrances, own.interface) != entrances.end();
    if (interface && !interface->is_loopback && !is_known) entrances.push_back(own.interface);
  }
  if (!entrances.empty()) return entrances;
  const auto client = client_of(facts, vip.family);
  const auto hop = client ? next_hop(facts, *client) : std::nullopt;
  return hop ? std::vector{hop->interface} : entrances;
}

std::optional<Hop> next_hop(const Facts& facts, const model::Address& to) {
  const Way* way = find_way(facts, to);
  if (!way || way->kind != Way::Kind::unicast) return std::nullopt;
  return Hop{.interface = way->interface, .address = way->gateway.value_or(to)};
}

std::uint64_t growth_of(const Director& director, std::string_view reason) {
  const auto* found = find_where(director.reasons, [&](const WatchedReason& one) { return one.name == reason; });
  return found ? found->packets.growth() : 0;
}

std::optional<model::Address> client_of(const Facts& facts, model::Family family) {
  const auto* found = find_where(facts.clients, [&](const model::Address& client) { return client.family == family; });
  return found ? std::optional(*found) : std::nullopt;
}

const char* ip_tool(model::Family family) { return family == model::Family::ipv4 ? "ip" : "ip -6"; }

int host_length(model::Family family) { return model::prefix_length_max(family); }

std::string as_host_prefix(const model::Address& address) {
  return fmt::format("{}/{}", to_string(address), host_length(address.family));
}

}  // namespace penstock::doctor
