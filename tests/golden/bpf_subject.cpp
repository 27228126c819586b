#include "tests/golden/bpf_subject.hpp"

#include <bpf/bpf.h>
#include <linux/pkt_cls.h>

#include <bit>
#include <cerrno>
#include <cstring>
#include <optional>

#include "control/kernel_clock.hpp"
#include "control/loader.hpp"
#include "datapath/core/platform.hpp"
#include "datapath/native/native_tables.hpp"
#include "tests/golden/control_side.hpp"

namespace penstock::golden {

namespace {

using std::chrono::milliseconds;

constexpr u32 test_run_ingress = 1;      // a test run says that its frame came in by the loopback interface
constexpr std::size_t growth_max = 256;  // what a packet may grow by: XDP's headroom

// The program reads the kernel's jiffies, which nobody moves: instead of the clock going on, every expiry comes nearer.
class AgeingClock final : public PassingClock {
 public:
  // Both outlive it.
  AgeingClock(const Tables& tables, const control::Clock& kernel) : tables_(tables), kernel_(kernel) {}

  [[nodiscard]] u32 ticks() const override { return kernel_.ticks(); }
  [[nodiscard]] u32 ticks_per_second() const override { return kernel_.ticks_per_second(); }
  [[nodiscard]] milliseconds steady() const override { return now_; }

  void advance(milliseconds by) override {
    const u32 before = ticks_at(now_);
    now_ += by;
    age(tables_.connections, ticks_at(now_) - before);
  }

 private:
  [[nodiscard]] u32 ticks_at(milliseconds at) const {
    return static_cast<u32>(static_cast<u64>(at.count()) * ticks_per_second() / 1000);
  }

  static void age(std::span<ConnectionBucket> buckets, u32 ticks) {
    constexpr u64 expiry_bits = 0xffffffffU;
    for (ConnectionBucket& bucket : buckets) {
      for (Connection& record : bucket.records) {
        if (record.word == 0) continue;
        const u32 expiry = static_cast<u32>(record.word & expiry_bits) - ticks;
        record.word = (record.word & ~expiry_bits) | expiry;
      }
    }
  }

  const Tables& tables_;
  const control::Clock& kernel_;
  milliseconds now_{};
};

template <typename Row>
void clear(std::span<Row> rows) {
  std::memset(static_cast<void*>(rows.data()), 0, rows.size_bytes());
}

void clear_tables(const Tables& tables) {
  clear(tables.connections);
  clear(tables.services);
  clear(tables.connection_tags);
  clear(tables.service_tags);
  clear(tables.servers);
  clear(tables.loads);
  clear(tables.counters);
  clear(tables.next_hops);
  clear(tables.interfaces);
  clear(tables.schedules);
  clear(tables.reasons);
  clear(tables.punted);
  *tables.vip_filter = {};
  *tables.settings = {};
  *tables.mark_rules = {};
  *tables.own_prefixes = {};
  *tables.local_pool = {};
  *tables.shared = {};
}

// A program as it is run, and what its numbers mean.
struct Runnable {
  int program;
  int out;  // on what the kernel sends itself
  BpfProgram::Kind kind;
};

penstock::Verdict verdict_of(BpfProgram::Kind kind, u32 returned) {
  if (kind == BpfProgram::Kind::xdp) return static_cast<penstock::Verdict>(returned);
  switch (static_cast<int>(returned)) {
    case TC_ACT_UNSPEC:
      return penstock::Verdict::pass;
    case TC_ACT_REDIRECT:
      return penstock::Verdict::redirect;
    case TC_ACT_SHOT:
      return penstock::Verdict::drop;
    default:
      return penstock::Verdict::aborted;
  }
}

class BpfSubject final : public Subject {
 public:
  static Result<std::unique_ptr<Subject>> start(const Topology& topology, const control::LoadedProgram& loaded,
                                                Runnable runnable) {
    clear_tables(loaded.tables());
    std::unique_ptr<BpfSubject> subject(new BpfSubject(loaded, runnable));
    auto kernel = control::KernelClock::start(loaded.programs.clock.fd());
    if (!kernel) return tl::unexpected(kernel.error());
    subject->kernel_clock_.emplace(*kernel);
    subject->clock_.emplace(loaded.tables(), *subject->kernel_clock_);
    auto control = ControlSide::start(loaded.tables(), topology, *subject->clock_);
    if (!control) return tl::unexpected(control.error());
    subject->control_ = std::move(*control);
    return subject;
  }

  [[nodiscard]] std::string name() const override { return runnable_.kind == BpfProgram::Kind::tc ? "tc" : "bpf"; }
  api::Director& control() override { return control_->director(); }

  Result<Reaction> send(Interface in, const Bytes& frame) override {
    control_->describe(test_run_ingress, in);
    Bytes out(frame.size() + growth_max);
    LIBBPF_OPTS(bpf_test_run_opts, options, .data_in = frame.data(), .data_out = out.data(),
                .data_size_in = static_cast<u32>(frame.size()), .data_size_out = static_cast<u32>(out.size()));
    if (bpf_prog_test_run_opts(runnable_.program, &options) != 0)
      return fail_errno("running the program on a frame", errno);
    out.resize(options.data_size_out);
    say_where_from(in);
    switch (verdict_of(runnable_.kind, options.retval)) {
      case penstock::Verdict::pass:
        return Reaction{Verdict::pass, std::move(out), std::nullopt};
      case penstock::Verdict::transmit:
      case penstock::Verdict::redirect:
        return Reaction{Verdict::transmit, std::move(out), std::nullopt, control_->take_punted()};
      case penstock::Verdict::drop:
        return Reaction{Verdict::drop, {}, std::nullopt, control_->take_punted()};
      case penstock::Verdict::aborted:
        break;
    }
    return fail(ErrorCode::protocol, "the packet path aborted");
  }

  Result<Reaction> leave(Interface out, const Bytes& frame) override {
    Bytes left(frame.size());
    LIBBPF_OPTS(bpf_test_run_opts, options, .data_in = frame.data(), .data_out = left.data(),
                .data_size_in = static_cast<u32>(frame.size()), .data_size_out = static_cast<u32>(left.size()));
    if (bpf_prog_test_run_opts(runnable_.out, &options) != 0)
      return fail_errno("running the program on a frame that leaves", errno);
    return Reaction{Verdict::pass, std::move(left), out};
  }

  Result<void> advance(milliseconds by) override {
    control_->advance(by);
    return {};
  }

  Result<void> set_mtu(Interface interface, std::uint32_t mtu) override {
    control_->set_mtu(interface, mtu);
    return {};
  }

  Result<Totals> totals() override { return control_->totals(); }

 private:
  BpfSubject(const control::LoadedProgram& loaded, Runnable runnable) : loaded_(loaded), runnable_(runnable) {}

  // Connections note the interface that their client's packets come by, and frames for the daemon theirs: in a test run always the same.
  void say_where_from(Interface in) {
    for (ConnectionBucket& bucket : loaded_.tables().connections) {
      for (Connection& record : bucket.records) {
        if (record.word == 0 || record.key.role != Role::request) continue;
        auto way = std::bit_cast<Way>(record.detail);
        if (way.interface == test_run_ingress) way.interface = static_cast<u16>(index_of(in));
        record.detail = std::bit_cast<u64>(way);
      }
    }
    for (PuntedFrame& row : loaded_.tables().punted)
      if (row.word == punt_ready && row.interface == test_run_ingress) row.interface = index_of(in);
  }

  const control::LoadedProgram& loaded_;
  Runnable runnable_;
  std::optional<control::KernelClock> kernel_clock_;
  std::optional<AgeingClock> clock_;
  std::unique_ptr<ControlSide> control_;
};

}  // namespace

class BpfProgram::Loaded {
 public:
  control::LoadedProgram program;
  File tc;  // closed: the XDP program is run
  File out;
};

BpfProgram::BpfProgram(std::unique_ptr<Loaded> loaded) : loaded_(std::move(loaded)) {}
BpfProgram::~BpfProgram() = default;

Result<std::unique_ptr<BpfProgram>> BpfProgram::load(Kind kind) {
  const auto cpus = control::counter_rows();
  if (!cpus) return tl::unexpected(cpus.error());
  Config config = small_config();
  config.cpus = *cpus;
  auto program = control::load(config);
  if (!program) return tl::unexpected(program.error());
  File tc;
  if (kind == Kind::tc) {
    auto loaded = control::load_tc_program(program->maps, control::TcProgram::in);
    if (!loaded) return tl::unexpected(loaded.error());
    tc = std::move(*loaded);
  }
  auto out = control::load_tc_program(program->maps, control::TcProgram::out);
  if (!out) return tl::unexpected(out.error());
  return std::unique_ptr<BpfProgram>(
      new BpfProgram(std::unique_ptr<Loaded>(new Loaded{std::move(*program), std::move(tc), std::move(*out)})));
}

Result<std::unique_ptr<Subject>> BpfProgram::make_subject(const Topology& topology) {
  const Runnable runnable = loaded_->tc.is_open() ? Runnable{loaded_->tc.fd(), loaded_->out.fd(), Kind::tc}
                                                  : Runnable{loaded_->program.program(), loaded_->out.fd(), Kind::xdp};
  return BpfSubject::start(topology, loaded_->program, runnable);
}

}  // namespace penstock::golden
