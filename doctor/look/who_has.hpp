// Who answers for an address on a link: by ARP (RFC 826) or neighbour solicitation (RFC 4861 §7.2). The kernel's neighbour table
// would tell one answer; these are all of them.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "doctor/facts.hpp"

namespace penstock::doctor {

struct HolderQuestion {
  std::uint32_t interface = 0;
  model::Address address;
  // In whose name ARP is asked, an address of this host on that interface. None: 0.0.0.0, as a probe of RFC 5227 §2.1.
  std::optional<model::Address> source{};
};

// Asks all questions at once, and once again at half time if need be, in the network namespace of the calling thread, and listens until each address in `witnesses` that
// is among the questions has been answered for, at most for `time_max`. Witnesses are hosts that answer for themselves: whoever is
// silent after them is so on purpose. Where an interface has none of a family the whole time is waited out. One answer for each question, in their order.
[[nodiscard]] Result<std::vector<Holders>> who_has(const std::vector<HolderQuestion>& questions,
                                                   const std::vector<model::Address>& witnesses,
                                                   std::chrono::milliseconds time_max);

}  // namespace penstock::doctor
