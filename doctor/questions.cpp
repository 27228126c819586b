#include "doctor/questions.hpp"

#include <algorithm>
#include <map>
#include <set>

#include "doctor/facts_about.hpp"
#include "doctor/rules/each_server.hpp"

namespace penstock::doctor {
namespace {

using model::Address;

std::vector<Address> vips_of(const Facts& facts) {
  if (facts.director) return virtual_addresses(*facts.director);
  return facts.real_server ? facts.real_server->vips : std::vector<Address>{};
}

// Addresses that one host on a link must answer for, and no other.
std::vector<Address> contested(const Facts& facts) {
  std::vector<Address> all = vips_of(facts);
  if (facts.director)
    all.insert(all.end(), facts.director->local_addresses.begin(), facts.director->local_addresses.end());
  return all;
}

// Hosts that answer for themselves if they are there: next hops to servers, or the director.
std::vector<Hop> peers(const Facts& facts) {
  std::vector<Address> addresses;
  if (facts.real_server) addresses = facts.real_server->director;
  if (facts.director) {
    for_each_server(*facts.director, [&](const model::Service&, const model::RealServer& server) {
      addresses.push_back(server.endpoint.address);
    });
  }
  std::vector<Hop> hops;
  for (const Address& address : addresses)
    if (const auto hop = next_hop(facts, address)) hops.push_back(*hop);
  return hops;
}

bool can_be_asked_on(const Facts& facts, std::uint32_t index) {
  const Interface* interface = find_interface(facts, index);
  return interface && interface->is_up && interface->has_carrier && interface->asks_neighbours;
}

std::set<std::uint32_t> links_to_ask_on(const Facts& facts, const Address& address) {
  std::set<std::uint32_t> links;
  for (const std::uint32_t index : links_with(facts, address)) links.insert(index);
  for (const OwnAddress& place : places_of(facts, address)) links.insert(place.interface);
  std::erase_if(links, [&](std::uint32_t index) { return !can_be_asked_on(facts, index); });
  return links;
}

// A global address of this host to ask from; a virtual one would tell the others where it is.
std::optional<Address> source_on(const Facts& facts, std::uint32_t interface, model::Family family) {
  const auto avoided = contested(facts);
  for (const OwnAddress& own : facts.addresses) {
    if (own.interface != interface || own.address.family != family || !model::is_unicast(own.address)) continue;
    if (std::ranges::find(avoided, own.address) == avoided.end()) return own.address;
  }
  return std::nullopt;
}

bool takes_greetings(const Director& director, const model::Service& service, const model::RealServer& server) {
  if (service.key.fwmark != 0 || service.key.protocol != model::Protocol::tcp) return false;
  if (server.weight == 0 || server.endpoint.port == 0) return false;
  return server.method != model::Method::nat || !director.sends_nat_errors;
}

}  // namespace

std::vector<Address> addresses_to_route(const Facts& facts) {
  std::set<Address> all(facts.clients.begin(), facts.clients.end());
  if (facts.director) {
    for_each_server(*facts.director, [&](const model::Service&, const model::RealServer& server) {
      all.insert(server.endpoint.address);
    });
  }
  if (facts.real_server) all.insert(facts.real_server->director.begin(), facts.real_server->director.end());
  return {all.begin(), all.end()};
}

Inquiry holders_to_ask_for(const Facts& facts) {
  Inquiry inquiry;
  std::set<std::pair<std::uint32_t, Address>> asked;
  const auto ask = [&](std::uint32_t link, const Address& address) {
    const bool is_new = asked.insert({link, address}).second;
    if (is_new)
      inquiry.questions.push_back(
          {.interface = link, .address = address, .source = source_on(facts, link, address.family)});
    return is_new;
  };
  for (const Address& address : contested(facts))
    for (const std::uint32_t link : links_to_ask_on(facts, address)) ask(link, address);
  // Witnesses last: frames stay in order, so that their answers come behind those of the others.
  for (const Hop& peer : peers(facts)) {
    if (inquiry.witnesses.size() == witnesses_max || !can_be_asked_on(facts, peer.interface)) continue;
    if (ask(peer.interface, peer.address)) inquiry.witnesses.push_back(peer.address);
  }
  return inquiry;
}

std::vector<GreetingPlan> servers_to_greet(const Facts& facts) {
  if (!facts.director) return {};
  std::map<model::Endpoint, GreetingPlan> plans;
  for_each_server(*facts.director, [&](const model::Service& service, const model::RealServer& server) {
    const Way* way = find_way(facts, server.endpoint.address);
    if (!takes_greetings(*facts.director, service, server) || !way || way->kind != Way::Kind::unicast) return;
    const model::Endpoint to{.address = server.endpoint.address,
                             .port = leaves_ip_alone(server.method) ? service.key.vip.port : server.endpoint.port};
    // From the virtual address real servers that have it, too, could not answer. fullnat's need no way but to local addresses.
    plans[to] = {.to = to,
                 .from = source_on(facts, way->interface, to.address.family),
                 .must_answer = server.method != model::Method::fullnat};
  });
  std::vector<GreetingPlan> all;
  for (const auto& [to, plan] : plans)
    if (to.port != 0) all.push_back(plan);
  return all;
}

}  // namespace penstock::doctor
