#include "control/settings.hpp"

#include <gtest/gtest.h>

#include <algorithm>

#include "datapath/core/states.hpp"

namespace penstock::control {
namespace {

TEST(settings, begin_with_the_defaults_of_ipvs) {
  const Settings settings = initial_settings(250);
  EXPECT_EQ(machine_of(settings, Machine::tcp).timeout[static_cast<u32>(TcpState::established)], 225000U);
  EXPECT_EQ(machine_of(settings, Machine::sctp).timeout[static_cast<u32>(SctpState::none)], 500U);
  EXPECT_EQ(machine_of(settings, Machine::sctp).timeout[static_cast<u32>(SctpState::init1)], 1000U);
  EXPECT_EQ(machine_of(settings, Machine::sctp).timeout[static_cast<u32>(SctpState::shutdown_sent)], 61U * 250);
  EXPECT_EQ(machine_of(settings, Machine::udp).timeout[0], 75000U);
  EXPECT_EQ(settings.conn_reuse_mode, 1U);
  EXPECT_EQ(settings.pmtu_disc, 1U);
  EXPECT_EQ(settings.toa_kind, 254U);
  EXPECT_EQ(settings.lblc_expiration, 86400U * 250);
  EXPECT_EQ(settings.sloppy_tcp | settings.sloppy_sctp | settings.expire_nodest_conn | settings.schedule_icmp, 0U);
  EXPECT_EQ(settings.drop_rate, 0U);
  EXPECT_NE(machine_of(settings, Machine::sctp).next[0][0], 0U);
}

TEST(settings, of_the_operator_reach_the_packet_path_under_their_own_names) {
  Settings live = initial_settings(100);
  model::Settings wanted;
  const std::pair<const char*, u32 Settings::*> fields[] = {
      {"sloppy_tcp", &Settings::sloppy_tcp},
      {"sloppy_sctp", &Settings::sloppy_sctp},
      {"expire_nodest_conn", &Settings::expire_nodest_conn},
      {"expire_quiescent_template", &Settings::expire_quiescent_template},
      {"conn_reuse_mode", &Settings::conn_reuse_mode},
      {"schedule_icmp", &Settings::schedule_icmp},
      {"nat_icmp_send", &Settings::nat_icmp_send},
      {"pmtu_disc", &Settings::pmtu_disc},
      {"cache_bypass", &Settings::cache_bypass},
      {"toa_kind", &Settings::toa_kind},
  };
  u32 value = 100;
  for (const auto& [name, field] : fields) ASSERT_TRUE(model::change(wanted, name, std::to_string(value++)));
  ASSERT_TRUE(model::change(wanted, "lblc_expiration", "7"));
  ASSERT_TRUE(model::change(wanted, "lblcr_expiration", "2147483"));
  machine_of(live, Machine::tcp).timeout[1] = 77;
  write_settings(live, wanted, {.drop_rate = 5, .secure_tcp = true, .drops_entries = true});
  value = 100;
  for (const auto& [name, field] : fields) EXPECT_EQ(live.*field, value++) << name;
  EXPECT_EQ(live.lblc_expiration, 700U);
  EXPECT_EQ(live.lblcr_expiration, 214748300U);
  EXPECT_EQ(live.drop_rate, 5U);
  EXPECT_EQ(live.drop_entry, 1U);
  const u64 syn =
      machine_of(live, Machine::tcp).next[static_cast<u32>(Direction::input_only)][static_cast<u32>(TcpEvent::syn)];
  EXPECT_EQ(next_state(syn, static_cast<u32>(TcpState::none)), static_cast<u32>(TcpState::synack));
  EXPECT_EQ(machine_of(live, Machine::tcp).timeout[1], 77U) << "timeouts are ipvsadm --set's";
}

TEST(settings, are_shown_all_in_the_order_of_their_names) {
  model::Settings settings;
  ASSERT_TRUE(model::change(settings, "sync_threshold", "1 2"));
  const auto views = views_of(settings);
  EXPECT_EQ(views.size(), model::setting_rules().size());
  EXPECT_EQ(views.front(), (api::Setting{"am_droprate", "10"}));
  EXPECT_NE(std::ranges::find(views, api::Setting{"sync_threshold", "1\t2"}), views.end());
}

}  // namespace
}  // namespace penstock::control
