// Who has the virtual address, and who answers for it.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "doctor/facts_about.hpp"
#include "doctor/rules.hpp"

namespace penstock::doctor {
namespace {

const char* question_of(model::Family family) {
  return family == model::Family::ipv4 ? "ARP" : "neighbour solicitations";
}

// "02:00:5e:00:53:01 (172.16.0.32)", if the neighbour table knows whose that is.
std::string whose(const Facts& facts, std::uint32_t interface, const Mac& mac) {
  for (const Neighbour& neighbour : facts.neighbours) {
    if (neighbour.interface == interface && neighbour.mac == mac && model::is_unicast(neighbour.address))
      return fmt::format("{} ({})", to_string(mac), to_string(neighbour.address));
  }
  return to_string(mac);
}

std::string whose_all(const Facts& facts, const Holders& holders) {
  std::vector<std::string> all;
  for (const Mac& mac : holders.macs) all.push_back(whose(facts, holders.interface, mac));
  return fmt::format("{}", fmt::join(all, " and "));
}

// ip-sysctl: arp_ignore. `place` is where the host has the address, `interface` where the question comes in.
bool answers_arp(const Interface& interface, const OwnAddress& place) {
  switch (interface.arp_ignore) {
    case 1:
      return place.interface == interface.index;
    case 2:  // and who asks is in the address's network: nobody is in that of a /32
      return place.interface == interface.index && place.prefix_length < 32;
    case 8:
      return false;
    default:
      return true;
  }
}

bool is_a_vip_here(const Facts& facts, const model::Address& address) {
  const std::vector<model::Address> vips = facts.director      ? virtual_addresses(*facts.director)
                                           : facts.real_server ? facts.real_server->vips
                                                               : std::vector<model::Address>{};
  return std::ranges::find(vips, address) != vips.end();
}

// Nobody should answer a director that has the address; a real server should hear one host.
std::size_t expected_holders(const Facts& facts, const Holders& holders) {
  return facts.director && !places_of(facts, holders.address).empty() ? 0 : 1;
}

}  // namespace

Findings vip_not_on_director(const Facts& facts) {
  if (!facts.director) return {};
  Findings findings;
  for (const model::Address& vip : virtual_addresses(*facts.director)) {
    const auto links = links_with(facts, vip);
    // Routed to this host by its neighbours otherwise: the packet path takes it without having the address.
    if (links.empty() || !places_of(facts, vip).empty()) continue;
    const std::string interface = name_of_interface(facts, links.front());
    findings.push_back({.fault = Fault::vip_not_on_director,
                        .what = fmt::format("{} is no address of this director: nobody answers {} for it on {}.",
                                            to_string(vip), question_of(vip.family), interface),
                        .mend = "Add it:",
                        .commands = {fmt::format("ip address add {} dev {}", as_host_prefix(vip), interface)}});
  }
  return findings;
}

Findings director_arp_silent(const Facts& facts) {
  if (!facts.director) return {};
  Findings findings;
  for (const model::Address& vip : virtual_addresses(*facts.director)) {
    const auto places = places_of(facts, vip);
    if (vip.family != model::Family::ipv4 || places.empty()) continue;
    for (const std::uint32_t index : entrances_of(facts, vip)) {
      const Interface* interface = find_interface(facts, index);
      if (!interface || !interface->asks_neighbours) continue;
      if (std::ranges::any_of(places, [&](const OwnAddress& place) { return answers_arp(*interface, place); }))
        continue;
      findings.push_back({.fault = Fault::director_arp_silent,
                          .what = fmt::format("{} does not answer ARP for {}, as its arp_ignore is {}.",
                                              interface->name, to_string(vip), interface->arp_ignore),
                          .mend = "ARP silence is for real servers; take it off the director:",
                          .commands = {"sysctl -w net.ipv4.conf.all.arp_ignore=0",
                                       fmt::format("sysctl -w net.ipv4.conf.{}.arp_ignore=0", interface->name)}});
    }
  }
  return findings;
}

Findings vip_answered_twice(const Facts& facts) {
  Findings findings;
  for (const Holders& holders : facts.holders) {
    if (!is_a_vip_here(facts, holders.address) || holders.macs.size() <= expected_holders(facts, holders)) continue;
    const bool by_one = holders.macs.size() == 1;
    const char* others = facts.director ? "also " : "";
    findings.push_back(
        {.fault = Fault::vip_answered_twice,
         .what = fmt::format("On {}, {} for {} {} {}answered by {}.", name_of_interface(facts, holders.interface),
                             question_of(holders.address.family), to_string(holders.address), by_one ? "is" : "are",
                             others, whose_all(facts, holders)),
         .mend =
             "Make the real servers among them silent, and leave the address to one director; on each real server see:",
         .commands = {"penstock doctor"}});
  }
  return findings;
}

Findings vip_duplicate(const Facts& facts) {
  Findings findings;
  for (const OwnAddress& own : facts.addresses) {
    if (!own.is_duplicate || !is_a_vip_here(facts, own.address)) continue;
    const std::string interface = name_of_interface(facts, own.interface);
    findings.push_back(
        {.fault = Fault::vip_duplicate,
         .what = fmt::format("{} on {} is not in use: another host had it when it was added.", to_string(own.address),
                             interface),
         .mend = "Take it off that host's network interface (on a real server it belongs on lo), then add it anew:",
         .commands = {
             fmt::format("ip -6 address del {}/{} dev {}", to_string(own.address), own.prefix_length, interface),
             fmt::format("ip -6 address add {}/{} dev {}", to_string(own.address), own.prefix_length, interface)}});
  }
  return findings;
}

Findings vip_unanswered(const Facts& facts) {
  if (!facts.real_server) return {};
  Findings findings;
  for (const Holders& holders : facts.holders) {
    if (!is_a_vip_here(facts, holders.address) || !holders.macs.empty()) continue;
    findings.push_back(
        {.fault = Fault::vip_unanswered,
         .what = fmt::format("Nobody on {} answers {} for {}.", name_of_interface(facts, holders.interface),
                             question_of(holders.address.family), to_string(holders.address)),
         .mend = "Add the address to the director; there see:",
         .commands = {"penstock doctor"}});
  }
  return findings;
}

Findings vip_not_at_director(const Facts& facts) {
  if (!facts.real_server) return {};
  Findings findings;
  for (const Holders& holders : facts.holders) {
    if (!is_a_vip_here(facts, holders.address) || holders.macs.size() != 1) continue;
    for (const model::Address& director : facts.real_server->director) {
      const Holders* expected = find_holders(facts, holders.interface, director);
      if (!expected || expected->macs.empty() || expected->macs == holders.macs) continue;
      findings.push_back(
          {.fault = Fault::vip_not_at_director,
           .what = fmt::format("{} on {} is answered by {}, and the director {} is {}.", to_string(holders.address),
                               name_of_interface(facts, holders.interface), whose_all(facts, holders),
                               to_string(director), to_string(expected->macs.front())),
           .mend = "Take the address off that host, or make it silent if it is a real server; on it see:",
           .commands = {"penstock doctor"}});
    }
  }
  return findings;
}

}  // namespace penstock::doctor
