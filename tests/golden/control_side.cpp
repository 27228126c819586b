#include "tests/golden/control_side.hpp"

#include <algorithm>
#include <utility>

#include "control/estimator.hpp"
#include "control/images.hpp"

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
  for (const Interface interface : interfaces) side->describe(index_of(interface), interface);
  return side;
}

void ControlSide::advance(std::chrono::milliseconds by) {
  using std::chrono::milliseconds;
  while (by > milliseconds{0}) {
    const auto step =
        std::min({by, sweep_period, control::estimator_period - clock_.steady() % control::estimator_period});
    clock_.advance(step);
    by -= step;
    sweeper_.sweep(tables_.connections.size());
    if (clock_.steady() % control::estimator_period == milliseconds{0}) writer_->tick();
  }
}

void Collector::send(u32 interface, std::span<const u8> frame) {
  sent_.push_back({Bytes(frame.begin(), frame.end()), interface_at(interface)});
}

std::vector<Departure> ControlSide::take_punted() {
  punted_.advance();
  return collector_.take();
}

void ControlSide::set_mtu(Interface interface, u32 mtu) {
  next_hops_.set_mtu(interface, mtu);
  describe(index_of(interface), interface);
}

void ControlSide::describe(u32 index, Interface interface) {
  penstock::Interface row{};
  const Mac& mac = topology_.mac[static_cast<std::size_t>(interface)];
  std::copy(mac.begin(), mac.end(), row.address);
  row.known = 1;
  row.mtu = next_hops_.mtu(interface);
  if (const auto own = own_address(topology_, interface, model::Family::ipv4))
    row.ipv4 = static_cast<u32>(control::image_of(*own).low);
  if (const auto own = own_address(topology_, interface, model::Family::ipv6)) row.ipv6 = control::image_of(*own);
  tables_.interfaces[index] = row;
}

}  // namespace penstock::golden
