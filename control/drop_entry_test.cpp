#include "control/drop_entry.hpp"

#include <gtest/gtest.h>

#include "datapath/core/wire.hpp"

namespace penstock::control {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

Entry tcp_entry(TcpState state, milliseconds idle = milliseconds{0}) {
  return {.role = Role::request,
          .protocol = protocol_tcp,
          .state = static_cast<u32>(state),
          .traits = static_cast<u8>(Method::direct),
          .idle = idle,
          .has_children = false,
          .is_one_packet = false};
}

Entry sctp_entry(SctpState state, milliseconds idle = milliseconds{0}) {
  Entry entry = tcp_entry(TcpState::none, idle);
  entry.protocol = protocol_sctp;
  entry.state = static_cast<u32>(state);
  return entry;
}

Entry udp_entry(milliseconds idle) {
  Entry entry = tcp_entry(TcpState::none, idle);
  entry.protocol = protocol_udp;
  return entry;
}

Entry template_entry(TemplateState state) {
  Entry entry = tcp_entry(TcpState::none, seconds(200));
  entry.role = Role::persistence;
  entry.state = static_cast<u32>(state);
  return entry;
}

Entry with_trait(Entry entry, u8 trait) {
  entry.traits |= trait;
  return entry;
}

TEST(drop_entry, takes_handshakes_that_hang_and_leaves_other_states) {
  for (u32 state = 0; state < tcp_states; ++state) {
    const auto tcp = static_cast<TcpState>(state);
    const bool hangs = tcp == TcpState::syn_recv || tcp == TcpState::synack;
    EXPECT_EQ(share_to_drop(tcp_entry(tcp)), hangs ? 1U : 0U) << state;
  }
  for (u32 state = 0; state < sctp_states; ++state) {
    const auto sctp = static_cast<SctpState>(state);
    const bool hangs = sctp == SctpState::init1 || sctp == SctpState::init;
    EXPECT_EQ(share_to_drop(sctp_entry(sctp)), hangs ? 1U : 0U) << state;
  }
}

TEST(drop_entry, leaves_what_closes_by_itself_however_idle) {
  EXPECT_EQ(share_to_drop(tcp_entry(TcpState::fin_wait, seconds(100))), 0U);
  EXPECT_EQ(share_to_drop(sctp_entry(SctpState::shutdown_sent, seconds(60))), 0U);
}

TEST(drop_entry, takes_some_connections_that_said_little_and_then_nothing_for_a_minute) {
  EXPECT_EQ(share_to_drop(tcp_entry(TcpState::established, milliseconds(59'999))), 0U);
  EXPECT_EQ(share_to_drop(tcp_entry(TcpState::established, seconds(60))), 8U);
  EXPECT_EQ(share_to_drop(sctp_entry(SctpState::established, milliseconds(59'999))), 0U);
  EXPECT_EQ(share_to_drop(sctp_entry(SctpState::established, seconds(60))), 8U);
  EXPECT_EQ(share_to_drop(udp_entry(milliseconds(59'999))), 0U);
  EXPECT_EQ(share_to_drop(udp_entry(seconds(60))), 1U);
}

TEST(drop_entry, leaves_conversations) {
  EXPECT_EQ(share_to_drop(with_trait(tcp_entry(TcpState::established, seconds(600)), trait_answered)), 0U);
  EXPECT_EQ(share_to_drop(with_trait(sctp_entry(SctpState::established, seconds(600)), trait_answered)), 0U);
  EXPECT_EQ(share_to_drop(with_trait(udp_entry(seconds(200)), trait_answered)), 0U);
}

TEST(drop_entry, leaves_ftp_whose_sequence_numbers_only_the_record_knows) {
  Entry entry = tcp_entry(TcpState::established, seconds(600));
  entry.traits = static_cast<u8>(Method::nat) | trait_mangled;
  EXPECT_EQ(share_to_drop(entry), 0U);
  entry.traits = static_cast<u8>(Method::direct) | trait_seen_reply;
  EXPECT_EQ(share_to_drop(entry), 8U);
}

TEST(drop_entry, leaves_control_connections_whose_data_connections_live) {
  Entry entry = tcp_entry(TcpState::established, seconds(600));
  entry.has_children = true;
  EXPECT_EQ(share_to_drop(entry), 0U);
}

TEST(drop_entry, takes_templates_that_led_to_nothing) {
  EXPECT_EQ(share_to_drop(template_entry(TemplateState::none)), 1U);
  EXPECT_EQ(share_to_drop(template_entry(TemplateState::assured)), 0U);
  Entry parent = template_entry(TemplateState::none);
  parent.has_children = true;
  EXPECT_EQ(share_to_drop(parent), 0U);
  Entry one_packet = template_entry(TemplateState::none);
  one_packet.is_one_packet = true;
  EXPECT_EQ(share_to_drop(one_packet), 0U);
}

TEST(drop_entry, leaves_records_that_are_no_entries_of_ipvs) {
  for (const Role role : {Role::reply, Role::fragment, Role::cache}) {
    Entry entry = tcp_entry(TcpState::syn_recv);
    entry.role = role;
    EXPECT_EQ(share_to_drop(entry), 0U);
  }
}

TEST(drop_entry, counts_the_eighth_over_all_that_it_is_asked_about) {
  EntryDropper dropper;
  const Entry idle = tcp_entry(TcpState::established, seconds(60));
  u32 taken = 0;
  for (u32 i = 0; i < 80; ++i) {
    taken += dropper.takes(idle);
    EXPECT_TRUE(dropper.takes(udp_entry(seconds(60)))) << "which is counted apart";
    EXPECT_FALSE(dropper.takes(tcp_entry(TcpState::established)));
  }
  EXPECT_EQ(taken, 10U);
}

// IPVS: a 32nd of the table each second.
TEST(drop_entry, looks_at_a_32nd_of_the_buckets_each_second) {
  EntryDropper dropper;
  u32 drawn = 0;
  for (u32 i = 0; i < 100'000; ++i) drawn += dropper.draws(milliseconds(900));
  EXPECT_NEAR(drawn, 100'000 * 0.9 / 32, 200);
}

}  // namespace
}  // namespace penstock::control
