// Can the director reach its real servers, and in the way that their method needs?
#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "doctor/facts_about.hpp"
#include "doctor/rules.hpp"
#include "doctor/rules/each_server.hpp"

namespace penstock::doctor {
namespace {

using model::Address;
using model::Method;

// Each address once, however many services it serves.
std::set<Address> servers_of(const Director& director) {
  std::set<Address> all;
  for_each_server(director,
                  [&](const model::Service&, const model::RealServer& server) { all.insert(server.endpoint.address); });
  return all;
}

// The kernel's table may remember a host that has gone: an answer of now counts for more.
bool is_resolved(const Facts& facts, const Hop& hop) {
  const Interface* interface = find_interface(facts, hop.interface);
  if (interface && !interface->asks_neighbours) return true;
  const Neighbour* neighbour = find_neighbour(facts, hop.interface, hop.address);
  if (neighbour && neighbour->mac && neighbour->is_permanent) return true;
  if (const Holders* holders = find_holders(facts, hop.interface, hop.address)) return !holders->macs.empty();
  return neighbour && neighbour->mac;
}

Findings behind_router(const Facts& facts, const Address& other, const std::string& whom) {
  const Way* way = find_way(facts, other);
  if (!way || way->kind != Way::Kind::unicast || !way->gateway) return {};
  return {{.fault = Fault::server_behind_router,
           .what = fmt::format("{} {} is behind router {}: direct routing needs it on the same link.", whom,
                               to_string(other), to_string(*way->gateway)),
           .mend = "Put both into one network, or use tunnel or fullnat (`ipvsadm -e … -i` or `--fullnat`)."}};
}

// Of servers that answer ARP: the others have a finding of their own.
Findings by_greeting(const Facts& facts, Greeting greeting, Finding (*make)(const Attempt&)) {
  Findings findings;
  for (const Attempt& attempt : facts.attempts) {
    const auto hop = next_hop(facts, attempt.to.address);
    const bool is_telling = greeting != Greeting::silent || attempt.must_answer;
    if (attempt.greeting == greeting && is_telling && hop && is_resolved(facts, *hop))
      findings.push_back(make(attempt));
  }
  return findings;
}

}  // namespace

Findings server_without_route(const Facts& facts) {
  if (!facts.director) return {};
  Findings findings;
  for (const Address& server : servers_of(*facts.director)) {
    const Way* way = find_way(facts, server);
    if (!way || way->kind != Way::Kind::none) continue;
    findings.push_back(
        {.fault = Fault::server_without_route,
         .what = fmt::format("There is no route to real server {}.", to_string(server)),
         .mend = "Add one:",
         .commands = {fmt::format("{} route add {} via ROUTER", ip_tool(server.family), as_host_prefix(server))}});
  }
  return findings;
}

Findings server_behind_router(const Facts& facts) {
  Findings findings;
  if (facts.director) {
    std::set<Address> said;
    for_each_server(*facts.director, [&](const model::Service&, const model::RealServer& server) {
      const Address& address = server.endpoint.address;
      if (server.method != Method::direct || !said.insert(address).second) return;
      std::ranges::move(behind_router(facts, address, "Real server"), std::back_inserter(findings));
    });
  }
  if (facts.real_server && facts.real_server->method == Method::direct) {
    for (const Address& director : facts.real_server->director)
      std::ranges::move(behind_router(facts, director, "The director"), std::back_inserter(findings));
  }
  return findings;
}

Findings next_hop_unresolved(const Facts& facts) {
  if (!facts.director) return {};
  Findings findings;
  std::set<Address> said;
  for (const Address& server : servers_of(*facts.director)) {
    const auto hop = next_hop(facts, server);
    if (!hop || is_resolved(facts, *hop) || !said.insert(hop->address).second) continue;
    const std::string interface = name_of_interface(facts, hop->interface);
    const std::string who = hop->address == server ? fmt::format("real server {}", to_string(server))
                                                   : fmt::format("{}, the router to real server {}",
                                                                 to_string(hop->address), to_string(server));
    findings.push_back(
        {.fault = Fault::next_hop_unresolved,
         .what = fmt::format("Nobody on {} answers for {}.", interface, who),
         .mend = "See that the host is up and on this link, and correct its address in `ipvsadm` if not."});
  }
  return findings;
}

Findings server_refuses(const Facts& facts) {
  if (!facts.director) return {};
  return by_greeting(facts, Greeting::refused, [](const Attempt& attempt) {
    return Finding{.fault = Fault::server_refuses,
                   .what = fmt::format("Real server {} refuses connections.", to_string(attempt.to)),
                   .mend =
                       "Start its service, or quiesce it with weight 0 until it runs; nothing is wrong if it listens "
                       "on the virtual address alone."};
  });
}

Findings server_silent(const Facts& facts) {
  if (!facts.director) return {};
  return by_greeting(facts, Greeting::silent, [](const Attempt& attempt) {
    return Finding{
        .fault = Fault::server_silent,
        .what = fmt::format("Real server {} does not answer a connection within a second.", to_string(attempt.to)),
        .mend = "Look at its firewall, and whether its way to the director is complete."};
  });
}

Findings nat_in_one_network(const Facts& facts) {
  if (!facts.director) return {};
  Findings findings;
  std::set<Address> said;
  for_each_server(*facts.director, [&](const model::Service& service, const model::RealServer& server) {
    const Address& address = server.endpoint.address;
    const Address& vip = service.key.vip.address;
    if (server.method != Method::nat || service.key.fwmark != 0 || said.contains(address)) return;
    const auto of_vip = links_with(facts, vip);
    const auto of_server = links_with(facts, address);
    if (of_vip.empty() || of_server != of_vip || !places_of(facts, address).empty()) return;
    said.insert(address);
    findings.push_back(
        {.fault = Fault::nat_in_one_network,
         .what = fmt::format("nat server {} is in the network of {}: clients there get its replies past the director.",
                             to_string(address), to_string(vip)),
         .mend = "Put it into a network of its own with the director as its gateway, or use direct or fullnat."});
  });
  return findings;
}

Findings loopback_server(const Facts& facts) {
  if (!facts.director) return {};
  Findings findings;
  for_each_server(*facts.director, [&](const model::Service& service, const model::RealServer& server) {
    if (server.method != Method::nat || !model::is_loopback(server.endpoint.address)) return;
    findings.push_back({.fault = Fault::loopback_server,
                        .what = fmt::format("nat server {} of service {} is a loopback address, where the kernel takes "
                                            "nothing from outside.",
                                            to_string(server.endpoint), to_string(service.key)),
                        .mend = "Use another address of the director for it."});
  });
  return findings;
}

}  // namespace penstock::doctor
