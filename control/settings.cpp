#include "control/settings.hpp"

#include "datapath/core/atomic.hpp"

namespace penstock::control {
namespace {

constexpr u32 index(TcpState state) { return static_cast<u32>(state); }

}  // namespace

Settings initial_settings(u32 ticks_per_second) {
  Settings settings{};
  settings.ticks_per_second = ticks_per_second;
  const auto seconds = [&](u32 count) { return count * ticks_per_second; };
  settings.tcp_timeout[index(TcpState::none)] = seconds(2);
  settings.tcp_timeout[index(TcpState::established)] = seconds(900);
  settings.tcp_timeout[index(TcpState::syn_sent)] = seconds(120);
  settings.tcp_timeout[index(TcpState::syn_recv)] = seconds(60);
  settings.tcp_timeout[index(TcpState::fin_wait)] = seconds(120);
  settings.tcp_timeout[index(TcpState::time_wait)] = seconds(120);
  settings.tcp_timeout[index(TcpState::close)] = seconds(10);
  settings.tcp_timeout[index(TcpState::close_wait)] = seconds(60);
  settings.tcp_timeout[index(TcpState::last_ack)] = seconds(30);
  settings.tcp_timeout[index(TcpState::listen)] = seconds(120);
  settings.tcp_timeout[index(TcpState::synack)] = seconds(120);
  settings.udp_timeout = seconds(300);
  settings.conn_reuse_mode = 1;
  return settings;
}

api::Timeouts initial_timeouts() { return {.tcp_s = 900, .tcp_fin_s = 120, .udp_s = 300}; }

bool are_valid(const api::Timeouts& timeouts, u32 ticks_per_second) {
  const u32 seconds_max = timeout_ticks_max / ticks_per_second;
  return timeouts.tcp_s <= seconds_max && timeouts.tcp_fin_s <= seconds_max && timeouts.udp_s <= seconds_max;
}

api::Timeouts changed(const api::Timeouts& timeouts, const api::Timeouts& change) {
  const auto pick = [](std::uint32_t now, std::uint32_t wanted) { return wanted == 0 ? now : wanted; };
  return {.tcp_s = pick(timeouts.tcp_s, change.tcp_s),
          .tcp_fin_s = pick(timeouts.tcp_fin_s, change.tcp_fin_s),
          .udp_s = pick(timeouts.udp_s, change.udp_s)};
}

void write_timeouts(Settings& settings, const api::Timeouts& timeouts) {
  const u32 second = settings.ticks_per_second;
  store_release(&settings.tcp_timeout[index(TcpState::established)], timeouts.tcp_s * second);
  store_release(&settings.tcp_timeout[index(TcpState::fin_wait)], timeouts.tcp_fin_s * second);
  store_release(&settings.udp_timeout, timeouts.udp_s * second);
}

}  // namespace penstock::control
