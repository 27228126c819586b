// iptables' MARK rules in a recording, as mark rules of the director: XDP sees packets before netfilter does.
//
// Understood is what such a rule of mangle PREROUTING may say in the terms of model::MarkRule, by iptables and ip6tables, whatever
// their variant (-legacy, -nft). An interface (-i) is left out: the director's rules hold on every interface that it serves.
#pragma once

#include <array>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "model/mark_rule.hpp"

namespace penstock::golden {

class MarkChain {
 public:
  [[nodiscard]] static bool is_for_iptables(const std::vector<std::string>& words);

  // -A, -I [n], -D rule, -D n, -F. ErrorCode::unsupported: what mark rules cannot say.
  [[nodiscard]] Result<void> run(const std::vector<std::string>& words);

  // In the order in which they hold, IPv4's before IPv6's.
  [[nodiscard]] std::vector<model::MarkRule> rules() const;

 private:
  std::array<std::vector<model::MarkRule>, 2> chains_;
};

}  // namespace penstock::golden
