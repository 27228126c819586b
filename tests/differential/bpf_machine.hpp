// The data plane as the kernel runs it: the loaded programs over tables of their own, one frame at a time (BPF_PROG_TEST_RUN).
// Frames seem to come in by the loopback interface, whose index is 1.
#pragma once

#include <bpf/bpf.h>
#include <linux/pkt_cls.h>

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

// A test run takes no socket buffer whose IP header is cut off.
[[nodiscard]] inline bool is_taken_as_socket_buffer(const Bytes& frame) {
  if (frame.size() < 14) return false;
  const u32 type = static_cast<u32>(frame[12] << 8 | frame[13]);
  const std::size_t header = type == 0x0800 ? sizeof(Ipv4Header) : type == 0x86dd ? sizeof(Ipv6Header) : 1;
  return frame.size() >= 14 + header;
}

struct RunResult {
  Verdict verdict;
  Bytes frame;
};

enum class ProgramKind { xdp, tc };

// TC says the same of a frame that goes back and of one that goes on.
[[nodiscard]] inline Verdict verdict_of_tc(u32 returned) {
  switch (static_cast<int>(returned)) {
    case TC_ACT_UNSPEC:
      return Verdict::pass;
    case TC_ACT_SHOT:
      return Verdict::drop;
    case TC_ACT_REDIRECT:
      return Verdict::redirect;
    default:
      return Verdict::aborted;
  }
}

// Threads may share it; each runs on the CPU it is on.
class BpfMachine {
 public:
  [[nodiscard]] static Result<BpfMachine> load(const Config& config, ProgramKind kind = ProgramKind::xdp) {
    auto program = control::load(config);
    if (!program) return tl::unexpected(program.error());
    BpfMachine machine(std::move(*program));
    if (kind == ProgramKind::xdp) return machine;
    auto tc = control::load_tc_program(machine.program_.maps, control::TcProgram::in);
    if (!tc) return tl::unexpected(tc.error());
    machine.tc_ = std::move(*tc);
    return machine;
  }

  [[nodiscard]] const Tables& tables() const { return program_.tables(); }
  [[nodiscard]] const control::LoadedProgram& program() const { return program_; }

  [[nodiscard]] Result<RunResult> run(const Bytes& frame) const {
    std::array<u8, longest_frame + 256> out;
    LIBBPF_OPTS(bpf_test_run_opts, options, .data_in = frame.data(), .data_out = out.data(),
                .data_size_in = static_cast<u32>(frame.size()), .data_size_out = static_cast<u32>(out.size()));
    if (bpf_prog_test_run_opts(tc_.is_open() ? tc_.fd() : program_.program(), &options) != 0)
      return fail_errno("running a frame of " + std::to_string(frame.size()) + " bytes", errno);
    const Verdict verdict = tc_.is_open() ? verdict_of_tc(options.retval) : static_cast<Verdict>(options.retval);
    return RunResult{verdict, {out.begin(), out.begin() + options.data_size_out}};
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
  File tc_;  // closed: the XDP program runs
};

}  // namespace penstock::differential
