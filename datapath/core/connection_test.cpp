// Connections over time: states, timeouts, loads, reuse, removal, a full table. Frames go in; what the
// tables hold afterwards is what is asked.
#include "datapath/core/connection.hpp"

#include <gtest/gtest.h>

#include <map>
#include <optional>

#include "datapath/native/native_platform.hpp"
#include "datapath/native/native_tables.hpp"
#include "tests/packets/director.hpp"
#include "tests/packets/frame.hpp"
#include "tests/packets/inventory.hpp"

namespace penstock {
namespace {

using namespace packets;

constexpr Mac client_mac{2, 0, 0, 0, 0, 0xc1};
constexpr Mac director_mac{2, 0, 0, 0, 0, 0xd0};
constexpr Mac rs1_mac{2, 0, 0, 0, 0, 0x11};
constexpr Mac rs2_mac{2, 0, 0, 0, 0, 0x22};
constexpr u32 hz = 1000;
constexpr u32 web = 80;
constexpr u32 dns = 53;

class Connections : public ::testing::Test {
 protected:
  explicit Connections(u32 buckets = 16) : tables_(config(buckets)), director_(tables_.view()) {
    director_.set_defaults(hz);
    rs1_ = director_.add_server("10.0.0.11", director_.add_next_hop({director_mac, rs1_mac, 1}));
    rs2_ = director_.add_server("10.0.0.22", director_.add_next_hop({director_mac, rs2_mac, 1}));
    director_.add_service({"192.0.2.1", web, 6}, {rs1_, rs2_});
    director_.add_service({"192.0.2.1", dns, 17}, {rs1_, rs2_});
  }

  static Config config(u32 buckets) {
    Config config = small_config();
    config.connection_buckets = buckets;
    config.servers_max = 4;
    return config;
  }

  PacketResult send(const Frame& frame) { return process(tables_.view(), frame.bytes(), now_, 1); }
  PacketResult tcp(u16 port, u8 flags) { return send(frame().tcp(port, web, flags)); }
  PacketResult tcp_from(const std::string& client, u16 port, u8 flags) {
    return send(eth(client_mac, director_mac).ipv4(client, "192.0.2.1").tcp(port, web, flags));
  }
  PacketResult udp(u16 port) { return send(frame().udp(port, dns)); }
  static Frame frame() { return eth(client_mac, director_mac).ipv4("198.51.100.7", "192.0.2.1"); }

  void pass_seconds(u32 seconds) { now_ += seconds * hz; }

  // The one record of that client port, wherever it stands.
  std::optional<Record> record(u16 port) {
    std::optional<Record> found;
    for (const Record& record : live_records(tables_.view(), now_)) {
      if (host(record.connection.key.client_port) != port) continue;
      EXPECT_FALSE(found) << "port " << port << " has two records";
      found = record;
    }
    return found;
  }

  void expect_state(u16 port, TcpState state, u32 timeout_seconds) {
    const auto found = record(port);
    ASSERT_TRUE(found);
    EXPECT_EQ(state_of(found->connection.word), static_cast<u32>(state));
    EXPECT_EQ(expires_of(found->connection.word) - now_, timeout_seconds * hz);
  }

  void expect_state_only(u16 port, TcpState state) {
    const auto found = record(port);
    ASSERT_TRUE(found);
    EXPECT_EQ(state_of(found->connection.word), static_cast<u32>(state));
  }

  void expect_load(u32 slot, s32 active, s32 inactive) {
    EXPECT_EQ(tables_.view().loads[slot].active, active) << "slot " << slot;
    EXPECT_EQ(tables_.view().loads[slot].inactive, inactive) << "slot " << slot;
  }

  u64 counted(Reason reason) { return tables_.view().reasons[0].packets[static_cast<u32>(reason)]; }

  static u8 server_mac(const PacketResult& result) { return result.frame.at(5); }

  NativeTables tables_;
  Director director_;
  u32 rs1_ = 0;
  u32 rs2_ = 0;
  u32 now_ = 0xffffff00;  // wraps within the first test second
};

TEST_F(Connections, a_tcp_session_goes_through_ipvs_states_timeouts_and_loads) {
  tcp(1, syn);
  expect_state(1, TcpState::syn_recv, 60);
  expect_load(rs1_, 1, 0);
  pass_seconds(1);
  tcp(1, ack);
  expect_state(1, TcpState::established, 900);
  expect_load(rs1_, 1, 0);
  pass_seconds(1);
  tcp(1, fin | ack);
  expect_state(1, TcpState::fin_wait, 120);
  expect_load(rs1_, 0, 1);
  pass_seconds(1);
  tcp(1, ack);
  expect_state(1, TcpState::fin_wait, 120);
  pass_seconds(1);
  tcp(1, rst);
  expect_state(1, TcpState::close, 10);
  expect_load(rs1_, 0, 1);
}

TEST_F(Connections, a_reset_before_the_handshake_is_complete_changes_nothing) {
  tcp(1, syn);
  pass_seconds(1);
  tcp(1, rst);
  expect_state(1, TcpState::syn_recv, 60);
  expect_load(rs1_, 1, 0);
}

TEST_F(Connections, fin_before_the_handshake_is_complete_ends_it) {
  tcp(1, syn);
  tcp(1, fin);
  expect_state(1, TcpState::time_wait, 120);
  expect_load(rs1_, 0, 1);
}

TEST_F(Connections, udp_lives_300_seconds_and_is_never_active) {
  udp(1);
  const auto found = record(1);
  ASSERT_TRUE(found);
  EXPECT_EQ(expires_of(found->connection.word) - now_, 300 * hz);
  expect_load(rs1_, 0, 1);
}

TEST_F(Connections, packets_stay_with_their_server_and_new_ones_go_round) {
  EXPECT_EQ(server_mac(tcp(1, syn)), 0x11);
  EXPECT_EQ(server_mac(tcp(2, syn)), 0x22);
  EXPECT_EQ(server_mac(tcp(3, syn)), 0x11);
  EXPECT_EQ(server_mac(tcp(2, ack)), 0x22);
  EXPECT_EQ(server_mac(tcp(1, ack)), 0x11);
  EXPECT_EQ(server_mac(tcp(1, ack)), 0x11);
}

TEST_F(Connections, quiesced_server_keeps_its_connections) {
  tcp(1, syn);
  tcp(1, ack);
  director_.reschedule({"192.0.2.1", web, 6}, {});
  EXPECT_EQ(server_mac(tcp(1, ack)), 0x11);
  EXPECT_EQ(tcp(2, syn).verdict, Verdict::transmit);
  EXPECT_EQ(counted(Reason::no_destination), 1U);
  EXPECT_EQ(tcp(2, ack).verdict, Verdict::pass);
}

TEST_F(Connections, expired_is_absent_to_the_tick) {
  udp(1);
  now_ += 300 * hz - 1;
  EXPECT_TRUE(record(1));
  EXPECT_EQ(server_mac(udp(1)), 0x11);
  now_ += 300 * hz;
  EXPECT_EQ(server_mac(udp(1)), 0x22);
  EXPECT_EQ(live_records(tables_.view(), now_).size(), 1U);
}

TEST_F(Connections, a_new_record_in_the_place_of_an_expired_one_ends_its_load) {
  for (u16 port = 100; port < 164; ++port) udp(port);
  pass_seconds(301);
  for (u16 port = 1000; port < 1128; ++port) udp(port);
  expect_loads_to_match(tables_.view());
}

TEST_F(Connections, expiry_is_written_only_when_it_moves_by_an_eighth_of_a_second) {
  tcp(1, syn);
  tcp(1, ack);
  const u64 before = record(1)->connection.word;
  now_ += hz / 8;
  tcp(1, ack);
  EXPECT_EQ(record(1)->connection.word, before);
  now_ += 1;
  tcp(1, ack);
  expect_state(1, TcpState::established, 900);
}

// One-sided: drop_entry spares those that become a conversation, and the director sees no answers.
TEST_F(Connections, that_go_on_for_more_than_an_eighth_of_a_second_count_as_answered) {
  const auto answered = [this](u16 port) { return (record(port)->connection.traits & trait_answered) != 0; };
  tcp(1, syn);
  now_ += hz;
  tcp(1, ack);
  for (u32 packets = 0; packets < 20; ++packets) tcp(1, ack);
  udp(2);
  now_ += hz / 8;
  udp(2);
  tcp(1, ack);
  EXPECT_FALSE(answered(1)) << "many packets, but at once; the handshake took a second";
  EXPECT_FALSE(answered(2));
  now_ += 1;
  tcp(1, ack);
  udp(2);
  EXPECT_TRUE(answered(1));
  EXPECT_TRUE(answered(2));
}

TEST_F(Connections, a_new_timeout_is_taken_with_the_next_packet_also_when_it_is_shorter) {
  udp(1);
  machine_of(*tables_.view().settings, Machine::udp).timeout[0] = 5 * hz;
  udp(1);
  EXPECT_EQ(expires_of(record(1)->connection.word) - now_, 5 * hz);
}

TEST_F(Connections, syn_and_fin_flags_together_are_a_syn) {
  tcp(1, syn | fin);
  expect_state(1, TcpState::syn_recv, 60);
  tcp(2, syn | ack);
  expect_state(2, TcpState::syn_recv, 60);
}

TEST_F(Connections, sloppy_tcp_begins_established_or_closed) {
  tables_.view().settings->sloppy_tcp = 1;
  tcp(1, ack);
  expect_state(1, TcpState::established, 900);
  tcp(2, fin | ack);
  expect_state(2, TcpState::close, 10);
  tcp(3, 0);
  expect_state(3, TcpState::close, 10);
  expect_loads_to_match(tables_.view());
}

// conn_reuse_mode: which states a SYN starts anew. Without reuse the SYN stays with the first server.
struct Reuse {
  u32 mode;
  std::vector<u8> flags;  // of the packets before the SYN
  bool starts_anew;
};

TEST_F(Connections, a_syn_reuses_what_conn_reuse_mode_says) {
  const Reuse cases[] = {
      {0, {syn, ack, fin, rst}, false},  // CLOSE
      {1, {syn, ack, fin, rst}, true},   //
      {0, {syn, fin}, false},            // TIME_WAIT
      {1, {syn, fin}, true},             //
      {1, {syn, ack, fin}, false},       // FIN_WAIT
      {2, {syn, ack, fin}, true},        //
      {3, {syn, ack, fin}, true},        //
      {2, {syn, ack, fin, rst}, true},   //
      {1, {syn, ack}, false},            // ESTABLISHED
      {3, {syn, ack}, false},            //
      {3, {syn}, false},                 // SYN_RECV
  };
  u16 port = 0;
  for (const Reuse& test : cases) {
    SCOPED_TRACE(++port);
    tables_.view().settings->conn_reuse_mode = test.mode;
    u8 server = 0;
    for (const u8 flags : test.flags) server = server_mac(tcp(port, flags));
    if ((server == 0x11) == (tables_.view().schedules[0] % 2 == 0))
      tcp(static_cast<u16>(port + 1000), syn);  // the next pick is the other
    const u8 again = server_mac(tcp(port, syn));
    EXPECT_EQ(again != server, test.starts_anew);
    if (test.starts_anew) expect_state(port, TcpState::syn_recv, 60);
    expect_loads_to_match(tables_.view());
  }
}

TEST_F(Connections, syn_with_reset_reuses_nothing) {
  for (const u8 flags : {syn, ack, fin, rst}) tcp(1, flags);
  tcp(1, syn | rst);
  expect_state(1, TcpState::close, 10);
}

// One CPU has looked a flow up and is about to book a FIN; meanwhile another ends the flow and begins it anew, within the same
// tick, in the same slot, with another server.
TEST_F(Connections, an_update_for_a_former_life_of_a_flow_leaves_the_new_one_alone) {
  tcp(1, syn);
  const Bytes bytes = frame().tcp(1, web, fin);
  FrameBuffer buffer(bytes);
  NativePlatform platform(tables_.view(), buffer, now_, 1);
  Packet packet{};
  ASSERT_TRUE(parse_network(platform, packet).ok);
  ASSERT_TRUE(parse_transport(platform, packet).ok);
  packet.hash = hash_of(tables_.view().config.hash_key, packet.key);
  const Flow looked_up = find_flow(platform, packet.key, Guess::present);
  ASSERT_EQ(looked_up.server, rs1_);

  end_connection(platform, looked_up);
  tcp(1, syn);
  ASSERT_EQ(record(1)->connection.server, rs2_);
  platform.work()->packet = packet;
  track(platform, *platform.work(), looked_up, Direction::input_only);

  EXPECT_EQ(state_of(record(1)->connection.word), static_cast<u32>(TcpState::syn_recv));
  expect_load(rs1_, 0, 0);
  expect_load(rs2_, 1, 0);
}

TEST_F(Connections, of_a_removed_server_are_dropped_and_work_again_when_it_returns) {
  tcp(1, syn);
  tcp(1, ack);
  director_.server(rs1_).route.available = 0;
  EXPECT_EQ(tcp(1, ack).verdict, Verdict::drop);
  EXPECT_EQ(tcp(1, syn).verdict, Verdict::drop);
  EXPECT_EQ(counted(Reason::server_removed), 2U);
  director_.server(rs1_).route.available = 1;
  EXPECT_EQ(server_mac(tcp(1, ack)), 0x11);
  EXPECT_EQ(tables_.view().counters[rs1_].in_packets, 3U);
}

TEST_F(Connections, of_a_former_server_do_not_reach_the_new_one_in_its_slot) {
  tcp(1, syn);
  director_.server(rs1_).route.generation += 1;
  EXPECT_EQ(tcp(1, ack).verdict, Verdict::drop);
  EXPECT_EQ(counted(Reason::server_removed), 1U);
}

TEST_F(Connections, a_full_table_takes_no_more_connections_and_goes_by_the_hash) {
  u32 stateless = 0;
  for (u32 i = 0; i < 2000; ++i) {
    ASSERT_EQ(udp(static_cast<u16>(1024 + i)).verdict, Verdict::transmit);
    stateless = static_cast<u32>(counted(Reason::stateless));
  }
  const auto records = live_records(tables_.view(), now_);
  EXPECT_EQ(records.size(), 2000U - stateless);
  EXPECT_EQ(records.size(), 16U * records_per_bucket);
  expect_loads_to_match(tables_.view());
}

class FloodedConnections : public Connections {
 protected:
  FloodedConnections() : Connections(64) {}

  void flood(u32 count) {
    for (u32 i = 0; i < count; ++i) {
      tcp_from("203.0." + std::to_string(i / 250 % 250) + "." + std::to_string(i % 250),
               static_cast<u16>(1024 + i / 62500), syn);
      if (i % 64 == 0) now_ += 1;
    }
  }
};

TEST_F(FloodedConnections, a_syn_flood_turns_over_half_open_records_only) {
  for (u16 port = 101; port <= 350; ++port) {
    tcp(port, syn);
    tcp(port, ack);
  }
  flood(50000);
  EXPECT_EQ(counted(Reason::stateless), 0U);
  EXPECT_EQ(counted(Reason::connection_table_full), 0U);
  EXPECT_EQ(live_records(tables_.view(), now_).size(), 64U * records_per_bucket);
  for (u16 port = 101; port <= 350; ++port) {
    ASSERT_TRUE(record(port)) << port;
    ASSERT_EQ(state_of(record(port)->connection.word), static_cast<u32>(TcpState::established));
    ASSERT_EQ(server_mac(tcp(port, ack)), port % 2 ? 0x11 : 0x22);
  }
  expect_loads_to_match(tables_.view());
  expect_tags_to_match(tables_.view());
}

TEST_F(FloodedConnections, who_completes_the_handshake_soon_stays) {
  flood(2000);
  tcp(1, syn);  // the newest of its bucket
  EXPECT_TRUE(record(1));
  tcp(1, ack);
  flood(5000);
  expect_state_only(1, TcpState::established);
}

// Ten million sources, which takes minutes: run by hand, with --gtest_also_run_disabled_tests.
TEST_F(FloodedConnections, DISABLED_ten_million_half_open_sources_push_no_established_connection_out) {
  for (u16 port = 101; port <= 350; ++port) {
    tcp(port, syn);
    tcp(port, ack);
  }
  for (u32 round = 0; round < 200; ++round) {
    flood(50000);
    for (u16 port = 101; port <= 350; ++port) ASSERT_EQ(server_mac(tcp(port, ack)), port % 2 ? 0x11 : 0x22);
  }
  expect_loads_to_match(tables_.view());
}

}  // namespace
}  // namespace penstock
