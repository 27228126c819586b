#include "tests/golden/control_side.hpp"

#include <algorithm>
#include <utility>

#include "control/estimator.hpp"

namespace penstock::golden {

namespace {

// IPVS's timers work to the jiffy; the daemon sweeps every 900 ms.
constexpr std::chrono::milliseconds sweep_period{500};

}  // namespace

Result<std::unique_ptr<ControlSide>> ControlSide::start(const Tables& tables, const Topology& topology,
                                                        PassingClock& clock) {
  std::unique_ptr<ControlSide> side(new ControlSide(tables, topology, clock));
  auto writer = control::Writer::start(
      {.tables = tables, .next_hops = side->next_hops_, .clock = clock, .store = nullptr, .warn = {}});
  if (!writer) return tl::unexpected(writer.error());
  side->writer_ = std::move(*writer);
  return side;
}

void ControlSide::advance(std::chrono::milliseconds by) {
  using std::chrono::milliseconds;
  while (by > milliseconds{0}) {
    const auto step =
        std::min({by, sweep_period, control::estimator_period - clock_.steady() % control::estimator_period});
    clock_.advance(step);
    by -= step;
    sweeper_.sweep(tables_.connections.size() + tables_.half_open.size());
    if (clock_.steady() % control::estimator_period == milliseconds{0}) writer_->tick();
  }
}

void ControlSide::set_ingress(u32 index, const Mac& address) {
  penstock::Interface& row = tables_.interfaces[index];
  std::copy(address.begin(), address.end(), row.address);
  row.known = 1;
}

}  // namespace penstock::golden
