#include "lab/network_plan.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <set>

namespace penstock::lab {
namespace {

using model::Address;
using model::Family;

template <typename... Arguments>
void add(std::string& text, fmt::format_string<Arguments...> format, Arguments&&... arguments) {
  fmt::format_to(std::back_inserter(text), format, std::forward<Arguments>(arguments)...);
}

std::string bridge_of(const Topology& topology, std::string_view network) {
  const auto at = std::ranges::find(topology.networks, network, &Network::name) - topology.networks.begin();
  return fmt::format("br{}", at);
}

// Nobody else can have the address in here, and a tentative one answers nothing for a second.
std::string_view without_detection(const Address& address) { return address.family == Family::ipv6 ? " nodad" : ""; }

// A director takes the VIP on the link whose network holds it; a VIP of no network of its own goes to eth0.
std::string director_interface(const Topology& topology, const Host& host, const Address& vip) {
  for (std::size_t i = 0; i < host.links.size(); ++i) {
    const Network* network = find_network(topology, host.links[i].network);
    if (std::ranges::any_of(network->prefixes, [&](const Prefix& p) { return contains(p, vip); })) {
      return fmt::format("eth{}", i);
    }
  }
  return "eth0";
}

std::string vip_commands(const Topology& topology, const Host& host) {
  std::string text;
  for (std::size_t i = 0; i < host.vips.size(); ++i) {
    const Address& vip = host.vips[i];
    const std::string interface = host.role == Role::realserver ? "lo" : director_interface(topology, host, vip);
    add(text, "address add {}/{} dev {}{}", to_string(vip), host_length(vip.family), interface, without_detection(vip));
    if (vip.family == Family::ipv4) add(text, " label {}:{}", interface, i);
    text += '\n';
  }
  return text;
}

bool has_ipv6(const Topology& topology, const Host& host) {
  return std::ranges::any_of(host.links, [&](const Link& link) {
    const auto& prefixes = find_network(topology, link.network)->prefixes;
    return std::ranges::any_of(prefixes, [](const Prefix& p) { return p.address.family == Family::ipv6; });
  });
}

}  // namespace

std::vector<Port> ports_of(const Topology& topology, const Host& host) {
  std::vector<Port> ports;
  for (std::size_t i = 0; i < host.links.size(); ++i) {
    ports.push_back({.name = fmt::format("{}-eth{}", host.name, i),
                     .interface = fmt::format("eth{}", i),
                     .bridge = bridge_of(topology, host.links[i].network)});
  }
  return ports;
}

std::string switch_commands(const Topology& topology, const std::map<std::string, pid_t>& pids) {
  std::string text;
  for (const Network& network : topology.networks) {
    const std::string bridge = bridge_of(topology, network.name);
    add(text, "link add {} type bridge stp_state 0 mcast_snooping 0\nlink set {} up\n", bridge, bridge);
  }
  for (const Host& host : topology.hosts) {
    for (const Port& port : ports_of(topology, host)) {
      add(text, "link add {} type veth peer name {} netns {}\n", port.name, port.interface, pids.at(host.name));
      add(text, "link set {} master {} up\n", port.name, port.bridge);
    }
  }
  return text;
}

std::string host_commands(const Topology& topology, const Host& host) {
  std::string text = "link set lo up\n";
  for (std::size_t i = 0; i < host.links.size(); ++i) {
    for (const Address& address : host.links[i].addresses) {
      const Prefix& prefix = prefix_of(topology, host.links[i], address);
      add(text, "address add {}/{} dev eth{}{}\n", to_string(address), prefix.length, i, without_detection(address));
    }
    add(text, "link set eth{} up\n", i);
  }
  text += vip_commands(topology, host);
  for (const Address& gateway : host.gateways) add(text, "route add default via {}\n", to_string(gateway));
  return text;
}

std::vector<Setting> host_settings(const Topology& topology, const Host& host) {
  const std::string_view forwards = host.role == Role::router ? "1" : "0";
  std::vector<Setting> settings{
      {"net/ipv4/conf/all/rp_filter", "0"},
      {"net/ipv4/conf/default/rp_filter", "0"},
      {"net/ipv4/ip_forward", std::string(forwards)},
      {"net/ipv6/conf/all/forwarding", std::string(forwards)},
      {"net/ipv6/conf/all/disable_ipv6", topology.ipv6 ? "0" : "1"},
      {"net/ipv6/conf/default/disable_ipv6", topology.ipv6 ? "0" : "1"},
      {"net/ipv6/conf/default/accept_dad", "0"},
      {"net/ipv6/conf/default/accept_ra", "0"},
      {"net/ipv6/conf/default/router_solicitations", "0"},
  };
  // Without a link-local address there is nothing to announce: an IPv4 network stays silent.
  if (!has_ipv6(topology, host)) settings.push_back({"net/ipv6/conf/default/addr_gen_mode", "1"});
  if (host.role == Role::realserver && !host.vips.empty()) {
    for (const std::string_view interface : {"all", "lo"}) {
      settings.push_back({fmt::format("net/ipv4/conf/{}/arp_ignore", interface), "1"});
      settings.push_back({fmt::format("net/ipv4/conf/{}/arp_announce", interface), "2"});
    }
  }
  settings.insert(settings.end(), host.settings.begin(), host.settings.end());
  return settings;
}

std::vector<Setting> switch_settings() {
  return {{"net/ipv6/conf/all/disable_ipv6", "1"}, {"net/ipv6/conf/default/disable_ipv6", "1"}};
}

std::string hosts_file(const Topology& topology) {
  std::string text = "127.0.0.1 localhost\n::1 localhost\n";
  std::set<Address> vips;
  for (const Host& host : topology.hosts) {
    for (const Link& link : host.links) {
      for (const Address& address : link.addresses) add(text, "{} {}\n", to_string(address), host.name);
    }
    vips.insert(host.vips.begin(), host.vips.end());
  }
  for (const Address& vip : vips) add(text, "{} vip\n", to_string(vip));
  return text;
}

}  // namespace penstock::lab
