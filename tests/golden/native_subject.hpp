// The native build of the data plane with its daemon's half: plain memory and a clock that moves when it is told to.
#pragma once

#include <memory>

#include "tests/golden/subject.hpp"

namespace penstock::golden {

// The topology outlives the subject.
[[nodiscard]] Result<std::unique_ptr<Subject>> make_native_subject(const Topology& topology);

}  // namespace penstock::golden
