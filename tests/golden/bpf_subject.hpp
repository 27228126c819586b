// The loaded BPF program with its daemon's half: every frame is a test run of the program that serves packets.
#pragma once

#include <memory>

#include "tests/golden/subject.hpp"

namespace penstock::golden {

// Verifying the program takes far longer than a recording, so it is loaded once, and each subject begins with empty tables. One
// subject at a time, within the life of the program; the topology outlives both.
class BpfProgram {
 public:
  enum class Kind { xdp, tc };

  // ErrorCode::permission_denied: BPF programs can't be loaded here.
  [[nodiscard]] static Result<std::unique_ptr<BpfProgram>> load(Kind kind);
  [[nodiscard]] Result<std::unique_ptr<Subject>> make_subject(const Topology& topology);

  BpfProgram(const BpfProgram&) = delete;
  BpfProgram& operator=(const BpfProgram&) = delete;
  ~BpfProgram();

 private:
  class Loaded;
  explicit BpfProgram(std::unique_ptr<Loaded> loaded);

  std::unique_ptr<Loaded> loaded_;
};

}  // namespace penstock::golden
