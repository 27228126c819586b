#include "tests/golden/run.hpp"

namespace penstock::golden {

namespace {

struct Recorded {
  StepResult operator()(const SendStep& step) const { return {.sent = step.out}; }
  StepResult operator()(const SleepStep& step) const { return {.sent = step.out}; }
  StepResult operator()(const SettingStep& step) const { return {.status = step.status}; }
  StepResult operator()(const GuestStep&) const { return {}; }
  StepResult operator()(const FloodStep& step) const { return {.counts = step.out_count}; }
  StepResult operator()(const ReadStep& step) const { return {.output = step.output}; }
  StepResult operator()(const CommandStep& step) const {
    return {.status = step.status, .output = step.output, .error = step.error};
  }
};

}  // namespace

StepResult recorded(const Step& step) { return std::visit(Recorded{}, step.action); }

}  // namespace penstock::golden
