#include "lab/topology.hpp"

#include <algorithm>
#include <cstdlib>

namespace penstock::lab {

bool contains(const Prefix& prefix, const model::Address& address) {
  if (prefix.address.family != address.family) return false;
  const std::size_t whole = prefix.length / 8;
  if (!std::equal(address.bytes.begin(), address.bytes.begin() + static_cast<std::ptrdiff_t>(whole),
                  prefix.address.bytes.begin())) {
    return false;
  }
  if (prefix.length % 8 == 0) return true;
  const unsigned mask = 0xffU << (8 - prefix.length % 8) & 0xffU;
  return ((address.bytes[whole] ^ prefix.address.bytes[whole]) & mask) == 0;
}

unsigned host_length(model::Family family) { return family == model::Family::ipv4 ? 32 : 128; }

std::string_view to_string(Role role) {
  switch (role) {
    case Role::client:
      return "client";
    case Role::director:
      return "director";
    case Role::realserver:
      return "realserver";
    case Role::server:
      return "server";
    case Role::router:
      return "router";
  }
  std::abort();
}

const Network* find_network(const Topology& topology, std::string_view name) {
  const auto found = std::ranges::find(topology.networks, name, &Network::name);
  return found == topology.networks.end() ? nullptr : &*found;
}

const Host* find_host(const Topology& topology, std::string_view name) {
  const auto found = std::ranges::find(topology.hosts, name, &Host::name);
  return found == topology.hosts.end() ? nullptr : &*found;
}

const Prefix& prefix_of(const Topology& topology, const Link& link, const model::Address& address) {
  const Network* network = find_network(topology, link.network);
  if (network == nullptr) std::abort();
  const auto found = std::ranges::find_if(network->prefixes, [&](const Prefix& p) { return contains(p, address); });
  if (found == network->prefixes.end()) std::abort();
  return *found;
}

}  // namespace penstock::lab
