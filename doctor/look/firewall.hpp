// Rules of nftables, and of iptables over it, that name one destination: what `nft -j list ruleset` says of them. Rules that need
// more than reading (sets, jumps, policies) are left out.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "doctor/facts.hpp"

namespace penstock::doctor {

struct Firewall {
  std::vector<FirewallRule> rules;
  bool clamps_mss = false;
};

// Pure. Text that is not nft's gives nothing.
[[nodiscard]] Firewall parse_firewall(std::string_view json);

// Without the program `nft` nothing is known.
[[nodiscard]] Firewall read_firewall();

}  // namespace penstock::doctor
