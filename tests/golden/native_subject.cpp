#include "tests/golden/native_subject.hpp"

#include "datapath/native/native_platform.hpp"
#include "datapath/native/native_tables.hpp"
#include "tests/golden/control_side.hpp"

namespace penstock::golden {

namespace {

using std::chrono::milliseconds;

class FakeClock final : public PassingClock {
 public:
  // Like the kernel's jiffies, it begins shortly before it wraps.
  [[nodiscard]] u32 ticks() const override { return static_cast<u32>(now_.count()) - 5 * ticks_per_second(); }
  [[nodiscard]] u32 ticks_per_second() const override { return 1000; }
  [[nodiscard]] milliseconds steady() const override { return now_; }

  void advance(milliseconds by) override { now_ += by; }

 private:
  milliseconds now_{};
};

class NativeSubject final : public Subject {
 public:
  static Result<std::unique_ptr<Subject>> start(const Topology& topology) {
    std::unique_ptr<NativeSubject> subject(new NativeSubject);
    auto control = ControlSide::start(subject->tables_.view(), topology, subject->clock_);
    if (!control) return tl::unexpected(control.error());
    subject->control_ = std::move(*control);
    return subject;
  }

  [[nodiscard]] std::string name() const override { return "native"; }
  api::Director& control() override { return control_->director(); }

  Result<Reaction> send(Interface in, const Bytes& frame) override {
    auto result = process(tables_.view(), frame, clock_.ticks(), index_of(in));
    switch (result.verdict) {
      case penstock::Verdict::pass:
        return Reaction{Verdict::pass, std::move(result.frame), std::nullopt};
      case penstock::Verdict::transmit:
      case penstock::Verdict::redirect:
        return Reaction{Verdict::transmit, std::move(result.frame), interface_at(result.interface),
                        control_->take_punted()};
      case penstock::Verdict::drop:
        return Reaction{Verdict::drop, {}, std::nullopt, control_->take_punted()};
      case penstock::Verdict::aborted:
        break;
    }
    return fail(ErrorCode::protocol, "the packet path aborted");
  }

  Result<Reaction> leave(Interface out, const Bytes& frame) override {
    return Reaction{Verdict::pass, process_own(tables_.view(), frame, clock_.ticks()), out};
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
  NativeSubject() : tables_(small_config()) {}

  NativeTables tables_;
  FakeClock clock_;
  std::unique_ptr<ControlSide> control_;
};

}  // namespace

Result<std::unique_ptr<Subject>> make_native_subject(const Topology& topology) {
  return NativeSubject::start(topology);
}

}  // namespace penstock::golden
