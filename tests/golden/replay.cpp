#include "tests/golden/replay.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "tests/golden/command.hpp"
#include "tests/golden/machine.hpp"
#include "tests/golden/noting_director.hpp"
#include "tests/golden/stack_model.hpp"

namespace penstock::golden {

namespace {

class Replayer {
 public:
  Replayer(Subject& subject, const Topology& topology)
      : subject_(subject),
        topology_(topology),
        director_(subject.control()),
        stack_(topology),
        machine_(subject, director_) {}

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
    auto result = machine_.run_line(step.command, step.input);
    if (auto refused = director_.take_unsupported()) return tl::unexpected(*refused);
    return result;
  }

  Result<StepResult> operator()(const SleepStep& step) {
    if (auto waited = wait_until(now_ + step.duration); !waited) return tl::unexpected(waited.error());
    return StepResult{};
  }

  Result<StepResult> operator()(const SettingStep& step) {
    const auto done = machine_.set(step.name, step.value);
    if (!done && done.error().code == ErrorCode::unsupported) return tl::unexpected(done.error());
    return StepResult{.status = done ? 0 : 1};
  }

  // "ip link set eth1 mtu 1400", or what the machine knows.
  Result<StepResult> operator()(const GuestStep& step) {
    auto words = split_command(step.command);
    if (words.size() == 7 && words[3] == "dev") words.erase(words.begin() + 3);
    const auto interface = words.size() == 6 ? parse_interface(words[3]) : std::nullopt;
    const bool is_mtu = interface && words[0] == "ip" && words[1] == "link" && words[2] == "set" && words[4] == "mtu";
    const auto done =
        is_mtu ? set_mtu(*interface, static_cast<std::uint32_t>(std::stoul(words[5]))) : machine_.run_guest(words);
    if (auto refused = director_.take_unsupported()) return tl::unexpected(*refused);
    if (!done) return tl::unexpected(done.error());
    return StepResult{};
  }

  Result<StepResult> operator()(const ReadStep& step) {
    auto text = machine_.read(step.path);
    if (!text) return tl::unexpected(text.error());
    return StepResult{.output = std::move(*text)};
  }

 private:
  Result<void> set_mtu(Interface interface, std::uint32_t mtu) {
    stack_.set_mtu(interface, mtu);
    return subject_.set_mtu(interface, mtu);
  }

  Result<std::vector<Sent>> send(Interface in, const Bytes& frame) {
    auto reaction = subject_.send(in, frame);
    if (!reaction) return tl::unexpected(reaction.error());
    std::vector<Sent> sent;
    if (reaction->verdict == Verdict::pass) {
      auto answered = pass(in, reaction->frame);
      if (!answered) return answered;
      sent = std::move(*answered);
    }
    if (auto done = collect(std::move(*reaction), sent); !done) return tl::unexpected(done.error());
    return sent;
  }

  // What the kernel's stack does; its own packets meet the director once more on their way out.
  Result<std::vector<Sent>> pass(Interface in, const Bytes& frame) {
    const auto outcome = stack_.receive(in, frame);
    if (!outcome.own) return outcome.frames;
    std::vector<Sent> sent;
    for (const Sent& one : outcome.frames) {
      auto reaction = subject_.leave(one.interface, one.frame);
      if (!reaction) return tl::unexpected(reaction.error());
      if (reaction->verdict == Verdict::pass) sent.push_back({one.interface, reaction->frame});
      if (auto done = collect(std::move(*reaction), sent); !done) return tl::unexpected(done.error());
    }
    return sent;
  }

  // The frames that leave by the director's doing.
  Result<void> collect(Reaction reaction, std::vector<Sent>& sent) const {
    std::vector<Departure> departures = std::move(reaction.also);
    if (reaction.verdict == Verdict::transmit) {
      departures.insert(departures.begin(), {std::move(reaction.frame), reaction.out_interface});
    }
    for (Departure& departure : departures) {
      const auto out = departure.out_interface ? departure.out_interface : owner(departure.frame);
      if (!out) return fail(ErrorCode::protocol, "a frame left whose source is no MAC address of the director");
      sent.push_back({.interface = *out, .frame = std::move(departure.frame)});
    }
    return {};
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
  Machine machine_;
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
