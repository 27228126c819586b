// Runs packets of a plan through a program: the host's side of driver.bpf.cpp.
#pragma once

#include <vector>

#include "bench/bpf_object.hpp"
#include "bench/flow_plan.hpp"
#include "datapath/core/platform.hpp"

namespace penstock::bench {

struct RunResult {
  double ns_per_packet;  // driver included; a whole number, as the kernel gives it
  Verdict verdict;       // of the last packet
};

class Driver {
 public:
  Driver();
  ~Driver();
  Driver(const Driver&) = delete;
  Driver& operator=(const Driver&) = delete;

  [[nodiscard]] FlowPlan& plan() { return *plan_; }
  [[nodiscard]] int empty_program() const { return object_.program("bench_empty"); }
  [[nodiscard]] RunResult run(int program, const std::vector<u8>& frame, u32 packets);

 private:
  BpfObject object_;
  FlowPlan* plan_;
};

}  // namespace penstock::bench
