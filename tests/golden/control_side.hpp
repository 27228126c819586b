// The daemon's half of a director under test, the same for every data plane: the writer, the sweeper, the settings, all over
// the tables they are given, and time that passes when the recording says so.
#pragma once

#include <chrono>
#include <memory>
#include <string_view>

#include "control/clock.hpp"
#include "control/punted.hpp"
#include "control/sweeper.hpp"
#include "control/writer.hpp"
#include "tests/golden/fixed_next_hops.hpp"
#include "tests/golden/subject.hpp"

namespace penstock::golden {

// Time that passes when it is told to, for the data plane's tables and for the daemon alike.
class PassingClock : public control::Clock {
 public:
  virtual void advance(std::chrono::milliseconds by) = 0;
};

// Frames that the daemon sends itself, kept for the replayer.
class Collector final : public control::Sender {
 public:
  void send(u32 interface, std::span<const u8> frame) override;
  std::vector<Departure> take() { return std::exchange(sent_, {}); }

 private:
  std::vector<Departure> sent_;
};

class ControlSide {
 public:
  // All three outlive it.
  [[nodiscard]] static Result<std::unique_ptr<ControlSide>> start(const Tables& tables, const Topology& topology,
                                                                  PassingClock& clock);

  [[nodiscard]] api::Director& director() { return *writer_; }
  // In steps no longer than the daemon's: rates are sampled at each full period of the estimator, and what has expired is swept.
  void advance(std::chrono::milliseconds by);
  void set_mtu(Interface interface, u32 mtu);
  // The row of `index` describes that interface.
  void describe(u32 index, Interface interface);
  // What the daemon sends of the frames that were handed to it.
  std::vector<Departure> take_punted();
  [[nodiscard]] Totals totals() const { return {writer_->total_statistics(), writer_->total_rates()}; }

 private:
  ControlSide(const Tables& tables, const Topology& topology, PassingClock& clock)
      : tables_(tables),
        topology_(topology),
        clock_(clock),
        next_hops_(tables, topology),
        sweeper_(tables, clock),
        punted_(tables, clock, collector_) {}

  const Tables& tables_;
  const Topology& topology_;
  PassingClock& clock_;
  FixedNextHops next_hops_;
  control::Sweeper sweeper_;
  Collector collector_;
  control::Punted punted_;
  std::unique_ptr<control::Writer> writer_;
};

}  // namespace penstock::golden
