// What a run did otherwise than the recording.
#pragma once

#include <string>
#include <vector>

namespace penstock::golden {

struct Difference {
  std::string where;  // "eth1[0].ip.ttl", "stdout line 3", "connections": what known deviations are matched against
  std::string want;   // as recorded; empty: not there
  std::string got;

  friend auto operator<=>(const Difference&, const Difference&) = default;
};

using Differences = std::vector<Difference>;

}  // namespace penstock::golden
