#include "tests/golden/control_side.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

#include "control/estimator.hpp"

namespace penstock::golden {

namespace {

// Where the packet path reads a setting, and otherwise the value of IPVS's default, which is how Penstock then behaves.
struct Setting {
  std::string_view name;
  u32 Settings::* field;
  std::string_view fallback;
};

constexpr std::array settings = {
    Setting{"sloppy_tcp", &Settings::sloppy_tcp, ""},
    Setting{"conn_reuse_mode", &Settings::conn_reuse_mode, ""},
    Setting{"cache_bypass", nullptr, "0"},
    Setting{"drop_packet", nullptr, "0"},
    Setting{"expire_nodest_conn", nullptr, "0"},
    Setting{"expire_quiescent_template", nullptr, "0"},
    Setting{"nat_icmp_send", nullptr, "0"},
    Setting{"pmtu_disc", nullptr, "1"},
    Setting{"schedule_icmp", nullptr, "0"},
    Setting{"secure_tcp", nullptr, "0"},
    Setting{"sloppy_sctp", nullptr, "0"},
};

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
    const auto step = std::min(by, control::estimator_period - clock_.steady() % control::estimator_period);
    clock_.advance(step);
    by -= step;
    if (clock_.steady() % control::estimator_period == milliseconds{0}) writer_->tick();
  }
  sweeper_.sweep(tables_.connections.size() + tables_.half_open.size());
}

void ControlSide::set_ingress(u32 index, const Mac& address) {
  penstock::Interface& row = tables_.interfaces[index];
  std::copy(address.begin(), address.end(), row.address);
  row.known = 1;
}

Result<void> ControlSide::set(std::string_view name, const std::string& value) {
  for (const Setting& setting : settings) {
    if (setting.name != name) continue;
    if (setting.field == nullptr && value == setting.fallback) return {};
    if (setting.field == nullptr) break;
    u32 number = 0;
    const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), number);
    if (error != std::errc{} || end != value.data() + value.size()) {
      return fail(ErrorCode::invalid_argument, "setting " + std::string(name) + " to " + value);
    }
    tables_.settings->*setting.field = number;
    return {};
  }
  return fail(ErrorCode::unsupported, "setting " + std::string(name) + "=" + value);
}

}  // namespace penstock::golden
