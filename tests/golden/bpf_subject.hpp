// The loaded BPF program with its daemon's half: every frame is a test run of the program that serves packets.
#pragma once

#include <memory>

#include "tests/golden/subject.hpp"

namespace penstock::golden {

// The topology outlives the subject. ErrorCode::permission_denied: BPF programs can't be loaded here.
[[nodiscard]] Result<std::unique_ptr<Subject>> make_bpf_subject(const Topology& topology);

}  // namespace penstock::golden
