#include "lab/arp_probe.hpp"

#include <fmt/format.h>
#include <net/if.h>

#include <algorithm>
#include <cerrno>

#include "doctor/look/who_has.hpp"
#include "lab/network_namespace_scope.hpp"

namespace penstock::lab {

std::string to_string(const MacAddress& mac) {
  return fmt::format("{:02x}:{:02x}:{:02x}:{:02x}:{:02x}:{:02x}", mac[0], mac[1], mac[2], mac[3], mac[4], mac[5]);
}

Result<std::set<MacAddress>> who_has(const FileDescriptor& init, const ArpQuestion& question,
                                     std::chrono::milliseconds time_max) {
  const NetworkNamespaceScope in_host(init);
  if (!in_host.entered()) return fail_errno("entering the host's network", errno);
  const unsigned interface = if_nametoindex(question.interface.c_str());
  if (interface == 0) return fail_errno("finding " + question.interface, errno);
  std::vector<doctor::HolderQuestion> questions{{.interface = interface, .address = question.address}};
  for (const model::Address& witness : question.witnesses)
    questions.push_back({.interface = interface, .address = witness});
  const auto answers = doctor::who_has(questions, question.witnesses, time_max);
  if (!answers) return fail(answers.error());
  const auto is_silent = [](const doctor::Holders& holders) { return holders.macs.empty(); };
  const auto silent = std::ranges::find_if(answers->begin() + 1, answers->end(), is_silent);
  if (silent != answers->end())
    return fail(ErrorCode::unavailable, fmt::format("no answer by ARP from {}", model::to_string(silent->address)),
                ETIMEDOUT);
  const auto& macs = answers->front().macs;
  return std::set<MacAddress>(macs.begin(), macs.end());
}

}  // namespace penstock::lab
