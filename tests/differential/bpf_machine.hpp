// The data plane as the kernel runs it: the loaded programs over tables of their own, one frame at a time (BPF_PROG_TEST_RUN).
// Frames seem to come in by the loopback interface, whose index is 1.
#pragma once

#include <bpf/bpf.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <vector>

#include "control/loader.hpp"
#include "datapath/core/platform.hpp"
#include "tests/packets/checksum.hpp"

namespace penstock::differential {

using packets::Bytes;

inline constexpr u32 test_run_ingress = 1;
inline constexpr std::size_t shortest_frame = 14;   // the kernel takes no shorter one in a test run
inline constexpr std::size_t longest_frame = 3000;  // nor one that does not fit a page, with room around it

struct RunResult {
  Verdict verdict;
  Bytes frame;
};

// Threads may share it; each runs on the CPU it is on.
class BpfMachine {
 public:
  [[nodiscard]] static Result<BpfMachine> load(const Config& config) {
    auto program = control::load(config);
    if (!program) return tl::unexpected(program.error());
    return BpfMachine(std::move(*program));
  }

  [[nodiscard]] const Tables& tables() const { return program_.tables(); }
  [[nodiscard]] const control::LoadedProgram& program() const { return program_; }

  [[nodiscard]] Result<RunResult> run(const Bytes& frame) const {
    std::array<u8, longest_frame + 256> out;
    LIBBPF_OPTS(bpf_test_run_opts, options, .data_in = frame.data(), .data_out = out.data(),
                .data_size_in = static_cast<u32>(frame.size()), .data_size_out = static_cast<u32>(out.size()));
    if (bpf_prog_test_run_opts(program_.program(), &options) != 0) return fail_errno("running a frame", errno);
    return RunResult{static_cast<Verdict>(options.retval), {out.begin(), out.begin() + options.data_size_out}};
  }

  // The low half of jiffies, as the packet path reads it.
  [[nodiscard]] Result<u32> ticks() const {
    std::array<u8, 64> frame{};
    LIBBPF_OPTS(bpf_test_run_opts, options, .data_in = frame.data(), .data_out = frame.data(),
                .data_size_in = frame.size(), .data_size_out = frame.size());
    if (bpf_prog_test_run_opts(program_.programs.clock.fd(), &options) != 0)
      return fail_errno("reading jiffies", errno);
    u32 ticks = 0;
    std::memcpy(&ticks, frame.data(), sizeof ticks);
    return ticks;
  }

 private:
  explicit BpfMachine(control::LoadedProgram program) : program_(std::move(program)) {}

  control::LoadedProgram program_;
};

}  // namespace penstock::differential
