// What the director's kernel does with the packets that Penstock leaves to it, and what never reaches it.
#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "doctor/facts_about.hpp"
#include "doctor/rules.hpp"
#include "doctor/rules/each_server.hpp"

namespace penstock::doctor {
namespace {

using model::Family;

constexpr int strict = 1;

bool has_nat_server(const Director& director, Family family) {
  bool found = false;
  for_each_server(director, [&](const model::Service&, const model::RealServer& server) {
    found = found || (server.method == model::Method::nat && server.endpoint.address.family == family);
  });
  return found;
}

Finding not_forwarded(const Watched& dropped, Family family) {
  const bool is_ipv4 = family == Family::ipv4;
  return {
      .fault = Fault::ip_forward_off,
      .what = fmt::format("The kernel dropped {} {} packets that it should have forwarded, such as nat servers' own.",
                          dropped.growth(), to_string(family)),
      .mend = "Let it forward:",
      .commands = {fmt::format("sysctl -w {}=1", is_ipv4 ? "net.ipv4.ip_forward" : "net.ipv6.conf.all.forwarding")}};
}

}  // namespace

Findings ip_forward_off(const Facts& facts) {
  if (!facts.director) return {};
  Findings findings;
  const auto look = [&](Family family, bool forwards, const Watched& dropped) {
    if (!forwards && dropped.growth() > 0 && has_nat_server(*facts.director, family))
      findings.push_back(not_forwarded(dropped, family));
  };
  look(Family::ipv4, facts.forwards_ipv4, facts.unforwarded_ipv4);
  look(Family::ipv6, facts.forwards_ipv6, facts.unforwarded_ipv6);
  return findings;
}

// IPv6 has no rp_filter.
Findings rp_filter_on_director(const Facts& facts) {
  const auto client = client_of(facts, Family::ipv4);
  const auto way = client ? next_hop(facts, *client) : std::nullopt;
  if (!facts.director || !way) return {};
  std::set<std::uint32_t> entrances;
  for (const model::Address& vip : virtual_addresses(*facts.director)) {
    if (vip.family != Family::ipv4) continue;
    for (const std::uint32_t index : entrances_of(facts, vip)) entrances.insert(index);
  }
  Findings findings;
  for (const std::uint32_t index : entrances) {
    const Interface* interface = find_interface(facts, index);
    if (!interface || interface->rp_filter != strict || index == way->interface) continue;
    findings.push_back(
        {.fault = Fault::rp_filter_on_director,
         .what =
             fmt::format("Strict rp_filter on {} drops clients' packets that Penstock leaves to the kernel: the way to "
                         "{} is by {}.",
                         interface->name, to_string(*client), name_of_interface(facts, way->interface)),
         .mend = "Make it loose (the larger of `all` and the interface counts):",
         .commands = {fmt::format("sysctl -w net.ipv4.conf.{}.rp_filter=2", interface->name)}});
  }
  return findings;
}

Findings firewall_bypassed(const Facts& facts) {
  if (!facts.director) return {};
  const auto vips = virtual_addresses(*facts.director);
  Findings findings;
  for (const FirewallRule& rule : facts.firewall) {
    if (!rule.drops || rule.destination.length == 0) continue;
    const auto vip =
        std::ranges::find_if(vips, [&](const auto& address) { return contains(rule.destination, address); });
    if (vip == vips.end()) continue;
    findings.push_back({.fault = Fault::firewall_bypassed,
                        .what = fmt::format("A rule of chain {} drops packets to {}, and what Penstock forwards never "
                                            "meets it.",
                                            rule.chain, to_string(rule.destination)),
                        .mend = "Filter before the director or on the real servers."});
  }
  return findings;
}

}  // namespace penstock::doctor
