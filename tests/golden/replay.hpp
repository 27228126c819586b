// Takes a director through the steps of a recording and keeps what came of each.
#pragma once

#include "tests/golden/run.hpp"
#include "tests/golden/subject.hpp"
#include "tests/golden/topology.hpp"

namespace penstock::golden {

[[nodiscard]] Run replay(const Recording& recording, Subject& subject, const Topology& topology);

}  // namespace penstock::golden
