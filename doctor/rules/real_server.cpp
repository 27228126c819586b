// The other half of a virtual server: what a real server must have, must not say, and where its replies go.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <set>

#include "doctor/facts_about.hpp"
#include "doctor/rules.hpp"
#include "doctor/rules/each_server.hpp"

namespace penstock::doctor {
namespace {

using model::Address;
using model::Family;
using model::Method;

// Those that take packets to the virtual address itself; nat and fullnat put their own address there.
const RealServer* with_vips(const Facts& facts) {
  const bool needs_them = facts.real_server && leaves_ip_alone(facts.real_server->method);
  return needs_them ? &*facts.real_server : nullptr;
}

bool is_on_wire(const Interface* interface) {
  return interface && interface->is_ethernet && interface->asks_neighbours && !interface->is_loopback;
}

bool is_tunnel_device(const Interface& interface) {
  static const std::set<std::string> kinds = {"ipip", "sit", "ip6tnl", "gre", "gretap", "ip6gre", "ip6gretap"};
  return kinds.contains(interface.kind);
}

bool ends_tunnels_by_bpf(const Interface& interface) {
  return interface.xdp != XdpMode::none || !interface.filters.empty();
}

// Interfaces whose ARP concerns the virtual address. A tunnel's server is mostly in another network, where nobody asks for it.
std::vector<const Interface*> links_that_ask(const Facts& facts, const RealServer& server, const Address& vip) {
  std::vector<const Interface*> links;
  for (const Interface& interface : facts.interfaces) {
    const auto near = links_with(facts, vip);
    const bool is_near = std::ranges::find(near, interface.index) != near.end();
    if (!is_on_wire(&interface) || !interface.is_up) continue;
    if (server.method == Method::direct || is_near) links.push_back(&interface);
  }
  return links;
}

std::string names_of(const std::vector<const Interface*>& interfaces) {
  std::vector<std::string> names;
  for (const Interface* interface : interfaces) names.push_back(interface->name);
  return fmt::format("{}", fmt::join(names, ", "));
}

// IPv4 addresses that are on lo or the like; on the link itself they are answered for anyway (vip_on_link).
std::vector<Address> quiet_vips(const Facts& facts, const RealServer& server) {
  std::vector<Address> vips;
  for (const Address& vip : server.vips) {
    const auto places = places_of(facts, vip);
    const bool is_on_link = std::ranges::any_of(
        places, [&](const OwnAddress& place) { return is_on_wire(find_interface(facts, place.interface)); });
    if (vip.family == Family::ipv4 && !places.empty() && !is_on_link) vips.push_back(vip);
  }
  return vips;
}

// The same sysctl on `all`, which is the one that counts for every interface.
Findings by_arp(const Facts& facts, Fault fault, const char* sentence, bool (*is_bad)(const Interface&),
                const char* command) {
  const RealServer* server = with_vips(facts);
  if (!server) return {};
  Findings findings;
  for (const Address& vip : quiet_vips(facts, *server)) {
    std::vector<const Interface*> bad = links_that_ask(facts, *server, vip);
    std::erase_if(bad, [&](const Interface* interface) { return !is_bad(*interface); });
    if (bad.empty()) continue;
    findings.push_back(
        {.fault = fault,
         .what = fmt::format(fmt::runtime(sentence), fmt::arg("links", names_of(bad)), fmt::arg("vip", to_string(vip))),
         .mend = "For all interfaces, and in /etc/sysctl.d to last:",
         .commands = {command}});
  }
  return findings;
}

// Families that this server's clients use.
std::set<Family> families_of(const RealServer& server) {
  std::set<Family> families;
  for (const Address& vip : server.vips) families.insert(vip.family);
  for (const Address& director : server.director) families.insert(director.family);
  return families;
}

const Way* way_to_clients(const Facts& facts, Family family) {
  const auto client = client_of(facts, family);
  return client ? find_way(facts, *client) : nullptr;
}

// Where requests come in: from tunnel devices, or by the interface towards the director or into the virtual address's network.
std::set<std::uint32_t> entrances(const Facts& facts, const RealServer& server) {
  std::set<std::uint32_t> found;
  if (server.method == Method::tunnel) {
    for (const Interface& interface : facts.interfaces)
      if (interface.is_up && (is_tunnel_device(interface) || ends_tunnels_by_bpf(interface)))
        found.insert(interface.index);
    return found;
  }
  for (const Address& director : server.director) {
    const auto hop = next_hop(facts, director);
    if (director.family == Family::ipv4 && hop) found.insert(hop->interface);
  }
  if (!found.empty()) return found;
  for (const Address& vip : server.vips) {
    const auto links = links_with(facts, vip);
    if (vip.family == Family::ipv4) found.insert(links.begin(), links.end());
  }
  return found;
}

}  // namespace

Findings vip_missing(const Facts& facts) {
  const RealServer* server = with_vips(facts);
  if (!server) return {};
  Findings findings;
  for (const Address& vip : server->vips) {
    if (!places_of(facts, vip).empty()) continue;
    findings.push_back(
        {.fault = Fault::vip_missing,
         .what = fmt::format("{} is no address of this real server, which drops requests to it.", to_string(vip)),
         .mend = "Silence ARP first (arp-not-silent), then add it to lo:",
         .commands = {"sysctl -w net.ipv4.conf.all.arp_ignore=1 net.ipv4.conf.all.arp_announce=2",
                      fmt::format("ip address add {} dev lo", as_host_prefix(vip))}});
    if (vip.family == Family::ipv6) {
      findings.back().mend = "Add it to lo:";
      findings.back().commands.erase(findings.back().commands.begin());
    }
  }
  return findings;
}

Findings vip_on_link(const Facts& facts) {
  const RealServer* server = with_vips(facts);
  if (!server) return {};
  Findings findings;
  for (const Address& vip : server->vips) {
    for (const OwnAddress& place : places_of(facts, vip)) {
      const Interface* interface = find_interface(facts, place.interface);
      if (!is_on_wire(interface)) continue;
      findings.push_back(
          {.fault = Fault::vip_on_link,
           .what = fmt::format("{} is on {}, where this real server answers {} for it.", to_string(vip),
                               interface->name, vip.family == Family::ipv4 ? "ARP" : "neighbour solicitations"),
           .mend = "Move it to lo:",
           .commands = {
               fmt::format("ip address del {}/{} dev {}", to_string(vip), place.prefix_length, interface->name),
               fmt::format("ip address add {} dev lo", as_host_prefix(vip))}});
    }
  }
  return findings;
}

Findings vip_prefix_too_short(const Facts& facts) {
  const RealServer* server = with_vips(facts);
  if (!server) return {};
  Findings findings;
  for (const Address& vip : server->vips) {
    for (const OwnAddress& place : places_of(facts, vip)) {
      const Interface* interface = find_interface(facts, place.interface);
      if (!interface || !interface->is_loopback || place.prefix_length == host_length(vip.family)) continue;
      const std::string given = fmt::format("{}/{}", to_string(vip), place.prefix_length);
      findings.push_back(
          {.fault = Fault::vip_prefix_too_short,
           .what = fmt::format("{} on {} makes the whole network this host's own.", given, interface->name),
           .mend = "Add it as a host's address:",
           .commands = {fmt::format("ip address del {} dev {}", given, interface->name),
                        fmt::format("ip address add {} dev {}", as_host_prefix(vip), interface->name)}});
    }
  }
  return findings;
}

Findings arp_not_silent(const Facts& facts) {
  const auto answers = [](const Interface& interface) {
    return interface.arp_ignore == 0 || interface.arp_ignore == 3;
  };
  return by_arp(facts, Fault::arp_not_silent, "This real server answers ARP for {vip} on {links}.", answers,
                "sysctl -w net.ipv4.conf.all.arp_ignore=1");
}

Findings arp_announces_vip(const Facts& facts) {
  // 1 is not enough: in the virtual address's own network it lets it pass.
  const auto announces = [](const Interface& interface) { return interface.arp_announce < 2; };
  return by_arp(facts, Fault::arp_announces_vip, "This real server may ask by ARP in the name of {vip} on {links}.",
                announces, "sysctl -w net.ipv4.conf.all.arp_announce=2");
}

Findings gateway_not_director(const Facts& facts) {
  if (!facts.real_server || facts.real_server->method != Method::nat) return {};
  Findings findings;
  for (const Address& director : facts.real_server->director) {
    const Way* way = way_to_clients(facts, director.family);
    if (!way || way->kind != Way::Kind::unicast || way->gateway == director) continue;
    const std::string where = way->gateway ? fmt::format("by {}", to_string(*way->gateway))
                                           : fmt::format("directly on {}", name_of_interface(facts, way->interface));
    findings.push_back(
        {.fault = Fault::gateway_not_director,
         .what = fmt::format("Replies to {} go {}, not by the director {}.", to_string(way->to), where,
                             to_string(director)),
         .mend = "Make the director the gateway:",
         .commands = {fmt::format("{} route replace default via {}", ip_tool(director.family), to_string(director))}});
    // Of the same network: no route would change that.
    if (!way->gateway) {
      findings.back().mend = "Put real servers and clients into different networks, or use fullnat.";
      findings.back().commands.clear();
    }
  }
  return findings;
}

Findings no_way_to_clients(const Facts& facts) {
  if (!facts.real_server) return {};
  const RealServer& server = *facts.real_server;
  // Clients may all be in the real server's network. Not so of a tunnel's and nat's, and not if somebody names one.
  const bool must_have = server.method == Method::tunnel || server.method == Method::nat;
  if (!must_have && !facts.clients_are_named) return {};
  Findings findings;
  for (const Family family : families_of(server)) {
    const Way* way = way_to_clients(facts, family);
    if (!way || way->kind != Way::Kind::none) continue;
    findings.push_back({.fault = Fault::no_way_to_clients,
                        .what = fmt::format("There is no route to clients such as {}.", to_string(way->to)),
                        .mend = server.method == Method::nat ? "Make the director the gateway:" : "Add one:",
                        .commands = {fmt::format("{} route add default via ROUTER", ip_tool(family))}});
    if (server.method == Method::nat)
      findings.back().commands = {fmt::format("{} route add default via DIRECTOR", ip_tool(family))};
  }
  return findings;
}

Findings rp_filter_drops_requests(const Facts& facts) {
  constexpr int strict = 1;
  const RealServer* server = with_vips(facts);
  const Way* way = way_to_clients(facts, Family::ipv4);
  if (!server || !way || way->kind != Way::Kind::unicast) return {};
  Findings findings;
  for (const std::uint32_t index : entrances(facts, *server)) {
    const Interface* interface = find_interface(facts, index);
    if (!interface || interface->rp_filter != strict || way->interface == index) continue;
    findings.push_back(
        {.fault = Fault::rp_filter_drops_requests,
         .what = fmt::format("Strict rp_filter on {} drops requests of {}, the way to whom is by {}.", interface->name,
                             to_string(way->to), name_of_interface(facts, way->interface)),
         .mend = "Make it loose (the larger of `all` and the interface counts):",
         .commands = {fmt::format("sysctl -w net.ipv4.conf.{}.rp_filter=2", interface->name)}});
  }
  return findings;
}

Findings decapsulation_missing(const Facts& facts) {
  if (!facts.real_server || facts.real_server->method != Method::tunnel) return {};
  const bool has_any = std::ranges::any_of(facts.interfaces, [](const Interface& interface) {
    return interface.is_up && (is_tunnel_device(interface) || ends_tunnels_by_bpf(interface));
  });
  if (has_any) return {};
  std::string command = "penstock realserver start --method tunnel --vip";
  for (const Address& vip : facts.real_server->vips) command += " " + to_string(vip);
  return {{.fault = Fault::decapsulation_missing,
           .what = "Nothing here takes the outer headers off: no tunnel device is up, and no BPF program is attached.",
           .mend = "Make this host a real server of tunnels:",
           .commands = {command}}};
}

Findings firewall_drops_vip(const Facts& facts) {
  const RealServer* server = with_vips(facts);
  if (!server) return {};
  Findings findings;
  for (const FirewallRule& rule : facts.firewall) {
    if (!rule.drops || rule.destination.length == 0) continue;
    const auto vip =
        std::ranges::find_if(server->vips, [&](const Address& one) { return contains(rule.destination, one); });
    if (vip == server->vips.end()) continue;
    findings.push_back(
        {.fault = Fault::firewall_drops_vip,
         .what = fmt::format("A rule of chain {} drops packets to {}.", rule.chain, to_string(rule.destination)),
         .mend = "Take it away, or let it spare the services' ports; it is among:",
         .commands = {"nft -a list ruleset"}});
  }
  return findings;
}

}  // namespace penstock::doctor
