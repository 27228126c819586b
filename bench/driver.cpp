#include "bench/driver.hpp"

#include <bpf/bpf.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>

#include "bench/driver_object.hpp"

namespace penstock::bench {

Driver::Driver() : object_("driver", {penstock_driver_bpf_begin, penstock_driver_bpf_end}) {
  object_.load();
  const auto page = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
  void* memory = mmap(nullptr, page, PROT_READ | PROT_WRITE, MAP_SHARED, object_.map("bench_plan"), 0);
  if (memory == MAP_FAILED) give_up("mapping the driver's plan", errno);
  plan_ = static_cast<FlowPlan*>(memory);
}

Driver::~Driver() { munmap(plan_, static_cast<std::size_t>(sysconf(_SC_PAGESIZE))); }

RunResult Driver::run(int program, const std::vector<u8>& frame, u32 packets) {
  const u32 zero = 0;
  if (bpf_map_update_elem(object_.map("bench_programs"), &zero, &program, BPF_ANY) != 0)
    give_up("putting a program under the driver", errno);
  LIBBPF_OPTS(bpf_test_run_opts, options, .data_in = frame.data(), .data_size_in = static_cast<u32>(frame.size()),
              .repeat = static_cast<int>(packets));
  if (bpf_prog_test_run_opts(object_.program("bench_driver"), &options) != 0) give_up("running the driver", errno);
  return {.ns_per_packet = static_cast<double>(options.duration), .verdict = static_cast<Verdict>(options.retval)};
}

}  // namespace penstock::bench
