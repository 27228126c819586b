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

// Who is known by its own address: next hops to servers, or the director.
std::vector<Address> peers(const Facts& facts) {
  std::vector<Address> all;
  if (facts.director) {
    for_each_server(*facts.director, [&](const model::Service&, const model::RealServer& server) {
      if (const auto hop = next_hop(facts, server.endpoint.address)) all.push_back(hop->address);
    });
  }
  if (facts.real_server) all = facts.real_server->director;
  return all;
}

std::set<std::uint32_t> links_to_ask_on(const Facts& facts, const Address& address) {
  std::set<std::uint32_t> links;
  const auto add = [&](std::uint32_t index) {
    const Interface* interface = find_interface(facts, index);
    if (interface && interface->is_up && interface->has_carrier && interface->asks_neighbours) links.insert(index);
  };
  for (const std::uint32_t index : links_with(facts, address)) add(index);
  for (const OwnAddress& place : places_of(facts, address)) add(place.interface);
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
  std::set<std::pair<std::uint32_t, Address>> pairs;
  std::set<std::pair<std::uint32_t, model::Family>> links;
  for (const Address& address : contested(facts)) {
    for (const std::uint32_t link : links_to_ask_on(facts, address)) {
      pairs.insert({link, address});
      links.insert({link, address.family});
    }
  }
  Inquiry inquiry;
  for (const Address& peer : peers(facts)) {
    for (const std::uint32_t link : links_with(facts, peer)) {
      if (!links.contains({link, peer.family}) || !places_of(facts, peer).empty()) continue;
      if (pairs.insert({link, peer}).second) inquiry.witnesses.push_back(peer);
    }
  }
  // Witnesses last on each link: frames stay in order, so that their answers come behind.
  const auto add = [&](const std::pair<std::uint32_t, Address>& pair) {
    inquiry.questions.push_back(
        {.interface = pair.first, .address = pair.second, .source = source_on(facts, pair.first, pair.second.family)});
  };
  const auto is_witness = [&](const auto& pair) {
    return std::ranges::find(inquiry.witnesses, pair.second) != inquiry.witnesses.end();
  };
  for (const auto& pair : pairs)
    if (!is_witness(pair)) add(pair);
  for (const auto& pair : pairs)
    if (is_witness(pair)) add(pair);
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
