#include "tests/golden/replay.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "tests/golden/command.hpp"
#include "tests/golden/noting_director.hpp"
#include "tests/golden/proc_stats.hpp"
#include "tests/golden/stack_model.hpp"

namespace penstock::golden {

namespace {

constexpr std::string_view setting_prefix = "net.ipv4.vs.";
constexpr std::string_view proc_stats_path = "/proc/net/ip_vs_stats";

class Replayer {
 public:
  Replayer(Subject& subject, const Topology& topology)
      : subject_(subject), topology_(topology), director_(subject.control()), stack_(topology) {}

  Result<void> wait_until(std::chrono::milliseconds at) {
    if (at <= now_) return {};
    const auto by = at - now_;
    now_ = at;
    return subject_.advance(by);
  }

  Result<StepResult> operator()(const SendStep& step) {
    auto sent = send(step.in, step.frame);
    if (!sent) return tl::unexpected(sent.error());
    return StepResult{.sent = std::move(*sent)};
  }

  Result<StepResult> operator()(const FloodStep& step) {
    StepResult result;
    for (const Interface interface : interfaces) result.counts[interface] = 0;
    for (std::uint64_t i = 0; i < step.times; ++i) {
      auto sent = send(step.in, step.frame);
      if (!sent) return tl::unexpected(sent.error());
      for (const Sent& one : *sent) ++result.counts[one.interface];
    }
    return result;
  }

  Result<StepResult> operator()(const CommandStep& step) {
    auto result = run_command(step.command, step.input, director_);
    if (auto refused = director_.take_unsupported()) return tl::unexpected(*refused);
    return result;
  }

  Result<StepResult> operator()(const SleepStep& step) {
    if (auto waited = wait_until(now_ + step.duration); !waited) return tl::unexpected(waited.error());
    return StepResult{};
  }

  Result<StepResult> operator()(const SettingStep& step) {
    if (!step.name.starts_with(setting_prefix)) return fail(ErrorCode::unsupported, "setting " + step.name);
    const auto done = subject_.set(step.name.substr(setting_prefix.size()), step.value);
    if (!done && done.error().code == ErrorCode::unsupported) return tl::unexpected(done.error());
    return StepResult{.status = done ? 0 : 1};
  }

  // "ip link set eth1 mtu 1400" is all of the machine that the replay has.
  Result<StepResult> operator()(const GuestStep& step) {
    const auto words = split_command(step.command);
    const auto interface = words.size() == 6 ? parse_interface(words[3]) : std::nullopt;
    const bool is_mtu = interface && words[0] == "ip" && words[1] == "link" && words[2] == "set" && words[4] == "mtu";
    if (!is_mtu) return fail(ErrorCode::unsupported, "a step of the machine itself: " + step.command);
    const auto mtu = static_cast<std::uint32_t>(std::stoul(words[5]));
    stack_.set_mtu(*interface, mtu);
    if (auto done = subject_.set_mtu(*interface, mtu); !done) return tl::unexpected(done.error());
    return StepResult{};
  }

  Result<StepResult> operator()(const ReadStep& step) {
    if (step.path != proc_stats_path) return fail(ErrorCode::unsupported, "reading " + step.path);
    auto totals = subject_.totals();
    if (!totals) return tl::unexpected(totals.error());
    return StepResult{.output = print_proc_stats(*totals)};
  }

 private:
  Result<std::vector<Sent>> send(Interface in, const Bytes& frame) {
    auto reaction = subject_.send(in, frame);
    if (!reaction) return tl::unexpected(reaction.error());
    switch (reaction->verdict) {
      case Verdict::drop:
        return std::vector<Sent>{};
      case Verdict::pass:
        return stack_.receive(in, reaction->frame);
      case Verdict::transmit:
        break;
    }
    auto out = reaction->out_interface;
    if (!out) out = owner(reaction->frame);
    if (!out) return fail(ErrorCode::protocol, "a frame left whose source is no MAC address of the director");
    return std::vector<Sent>{{.interface = *out, .frame = std::move(reaction->frame)}};
  }

  [[nodiscard]] std::optional<Interface> owner(const Bytes& frame) const {
    Mac source{};
    if (frame.size() < 12) return std::nullopt;
    std::copy_n(frame.begin() + 6, source.size(), source.begin());
    return topology_.interface_of(source);
  }

  Subject& subject_;
  const Topology& topology_;
  NotingDirector director_;
  StackModel stack_;
  std::chrono::milliseconds now_{};
};

}  // namespace

Run replay(const Recording& recording, Subject& subject, const Topology& topology) {
  Replayer replayer(subject, topology);
  Run run;
  for (const Step& step : recording.steps) {
    const auto waited = replayer.wait_until(step.at);
    auto result = waited ? std::visit(replayer, step.action) : Result<StepResult>(tl::unexpected(waited.error()));
    if (result) {
      run.results.push_back(std::move(*result));
    } else if (result.error().code == ErrorCode::unsupported) {
      run.unsupported = Unsupported{run.results.size(), result.error().message};
      break;
    } else {
      run.broken = result.error();
      break;
    }
  }
  return run;
}

}  // namespace penstock::golden
