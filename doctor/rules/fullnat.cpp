// The local addresses of fullnat: replies must come back to them, and to nobody else.
#include <fmt/format.h>

#include "doctor/facts_about.hpp"
#include "doctor/rules.hpp"

namespace penstock::doctor {

Findings local_address_unanswered(const Facts& facts) {
  if (!facts.director) return {};
  Findings findings;
  for (const model::Address& local : facts.director->local_addresses) {
    const auto links = links_with(facts, local);
    // Else it is in a network that routers lead to the director.
    if (links.empty() || !places_of(facts, local).empty()) continue;
    const std::string interface = name_of_interface(facts, links.front());
    findings.push_back({.fault = Fault::local_address_unanswered,
                        .what = fmt::format("Local address {} is in {}'s network, but the director does not have it: "
                                            "nobody answers for it.",
                                            to_string(local), interface),
                        .mend = "Add it:",
                        .commands = {fmt::format("ip address add {} dev {}", as_host_prefix(local), interface)}});
  }
  return findings;
}

Findings local_address_taken(const Facts& facts) {
  if (!facts.director) return {};
  Findings findings;
  for (const model::Address& local : facts.director->local_addresses) {
    for (const std::uint32_t link : links_with(facts, local)) {
      const Holders* holders = find_holders(facts, link, local);
      if (!holders || holders->macs.empty()) continue;
      findings.push_back({.fault = Fault::local_address_taken,
                          .what = fmt::format("Local address {} is answered for by {} on {}.", to_string(local),
                                              to_string(holders->macs.front()), name_of_interface(facts, link)),
                          .mend = "Take it off that host, or let fullnat use another:",
                          .commands = {fmt::format("penstock local add OTHER_ADDRESS"),
                                       fmt::format("penstock local del {}", to_string(local))}});
    }
  }
  return findings;
}

}  // namespace penstock::doctor
