#include "control/settings.hpp"

#include <array>

#include "control/transitions.hpp"
#include "datapath/core/atomic.hpp"

namespace penstock::control {
namespace {

constexpr u32 index(TcpState state) { return static_cast<u32>(state); }
constexpr u32 index(SctpState state) { return static_cast<u32>(state); }

// Settings that the packet path reads as they are, by the names that both sides share.
struct Copied {
  std::string_view name;
  u32 Settings::* field;
};

constexpr std::array copied = {
#define PEN_SETTING(name) \
  Copied { #name, &Settings::name }
    PEN_SETTING(sloppy_tcp),         PEN_SETTING(sloppy_sctp),
    PEN_SETTING(expire_nodest_conn), PEN_SETTING(expire_quiescent_template),
    PEN_SETTING(conn_reuse_mode),    PEN_SETTING(schedule_icmp),
    PEN_SETTING(nat_icmp_send),      PEN_SETTING(pmtu_disc),
    PEN_SETTING(cache_bypass),       PEN_SETTING(toa_kind),
#undef PEN_SETTING
};

}  // namespace

Settings initial_settings(u32 ticks_per_second) {
  Settings settings{};
  settings.ticks_per_second = ticks_per_second;
  const auto seconds = [&](u32 count) { return count * ticks_per_second; };
  auto& tcp = machine_of(settings, Machine::tcp).timeout;
  auto& sctp = machine_of(settings, Machine::sctp).timeout;
  tcp[index(TcpState::none)] = seconds(2);
  tcp[index(TcpState::established)] = seconds(900);
  tcp[index(TcpState::syn_sent)] = seconds(120);
  tcp[index(TcpState::syn_recv)] = seconds(60);
  tcp[index(TcpState::fin_wait)] = seconds(120);
  tcp[index(TcpState::time_wait)] = seconds(120);
  tcp[index(TcpState::close)] = seconds(10);
  tcp[index(TcpState::close_wait)] = seconds(60);
  tcp[index(TcpState::last_ack)] = seconds(30);
  tcp[index(TcpState::listen)] = seconds(120);
  tcp[index(TcpState::synack)] = seconds(120);
  for (u32 state = 0; state < sctp_states; ++state) sctp[state] = seconds(61);
  sctp[index(SctpState::none)] = seconds(2);
  sctp[index(SctpState::init1)] = seconds(4);
  sctp[index(SctpState::rejected)] = seconds(4);
  sctp[index(SctpState::established)] = seconds(900);
  machine_of(settings, Machine::udp).timeout[0] = seconds(300);
  write_sctp_transitions(settings);
  write_settings(settings, {}, {});
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
  store_release(&machine_of(settings, Machine::tcp).timeout[index(TcpState::established)], timeouts.tcp_s * second);
  store_release(&machine_of(settings, Machine::tcp).timeout[index(TcpState::fin_wait)], timeouts.tcp_fin_s * second);
  store_release(&machine_of(settings, Machine::udp).timeout[0], timeouts.udp_s * second);
}

void write_settings(Settings& live, const model::Settings& wanted, const Defence& defence) {
  for (const Copied& setting : copied) store_release(&(live.*setting.field), model::number_of(wanted, setting.name));
  const u32 second = live.ticks_per_second;
  store_release(&live.lblc_expiration, model::number_of(wanted, "lblc_expiration") * second);
  store_release(&live.lblcr_expiration, model::number_of(wanted, "lblcr_expiration") * second);
  store_release(&live.drop_rate, defence.drop_rate);
  store_release(&live.drop_entry, u32{defence.drops_entries});
  write_tcp_transitions(live, defence.secure_tcp ? TcpTable::secure : TcpTable::normal);
}

std::vector<api::Setting> views_of(const model::Settings& settings) {
  std::vector<api::Setting> views;
  for (const model::SettingRule& rule : model::setting_rules())
    views.push_back({std::string(rule.name), std::string(model::value_of(settings, rule))});
  return views;
}

}  // namespace penstock::control
