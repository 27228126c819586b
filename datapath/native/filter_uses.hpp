// Which of a filter's parts have any bits: the packet path looks at no others.
#pragma once

#include <algorithm>

#include "datapath/abi/config.hpp"

namespace penstock {

[[nodiscard]] inline u64 uses_of(const VipFilter& filter) {
  const auto has_any = [](const auto& bits) { return std::ranges::any_of(bits, [](u64 word) { return word != 0; }); };
  return (has_any(filter.servers) ? filter_has_servers : 0) |
         (std::ranges::any_of(filter.marked, has_any) ? filter_has_marked : 0);
}

}  // namespace penstock
