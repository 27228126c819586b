// Beginning connections when something is in the way: a full table, drop_packet, nobody to go to.
#include "datapath/core/begin.hpp"

#include <gtest/gtest.h>

#include <map>

#include "tests/packets/world.hpp"

namespace penstock {
namespace {

using namespace packets;

constexpr u16 web = 80;
constexpr u16 dns = 53;

// Servers 1 and 2, and a table of sixteen records.
struct Cramped : World {
  explicit Cramped(Method method = Method::direct) : World(tiny()) {
    director.add_local_address(inner_address);
    for (const u32 number : {1U, 2U}) rs[number - 1] = add_rs(number, method);
    for (const u8 protocol : {u8{6}, u8{17}}) director.add_service({vip, web, protocol}, {rs[0], rs[1]});
  }
  static Config tiny() {
    Config config = World::small();
    config.connection_buckets = 2;
    return config;
  }
  // Until no slot is left.
  void fill() {
    for (u16 port = 1; port < 200; ++port) (void)send(in4().udp(port, web));
  }
  u32 server_of(const PacketResult& result) const { return result.interface == inner_link ? result.frame.at(5) : 0; }
  u32 rs[2] = {};
};

TEST(Stateless, in_a_full_table_flows_go_by_their_hash_and_stay_where_they_are) {
  Cramped world;
  world.fill();
  EXPECT_EQ(world.records(Role::request), 16U);
  std::map<u16, u32> servers;
  std::map<u32, u32> flows;
  for (u16 port = 1001; port < 1101; ++port) {
    servers[port] = world.server_of(world.send(in4().tcp(port, web, syn)));
    ++flows[servers[port]];
  }
  EXPECT_GT(flows[1], 25U);
  EXPECT_GT(flows[2], 25U);
  for (const auto& [port, server] : servers) {
    for (const u8 flags : {ack, static_cast<u8>(psh | ack), static_cast<u8>(fin | ack), syn})
      EXPECT_EQ(world.server_of(world.send(in4().tcp(port, web, flags))), server) << port;
  }
  EXPECT_EQ(world.counted(Reason::connection_table_full), 0U);
  EXPECT_GE(world.counted(Reason::stateless), 500U);
  world.expect_order();
}

TEST(Stateless, what_has_a_record_keeps_to_it) {
  Cramped world;
  std::map<u16, u32> servers;
  for (u16 port = 1; port <= 8; ++port) servers[port] = world.server_of(world.send(in4().udp(port, web)));
  world.fill();
  for (const auto& [port, server] : servers) EXPECT_EQ(world.server_of(world.send(in4().udp(port, web))), server);
}

TEST(Stateless, ends_two_minutes_after_the_table_was_full) {
  Cramped world;
  EXPECT_EQ(world.send(in4().tcp(1000, web, ack)).verdict, Verdict::pass);
  world.fill();
  EXPECT_EQ(world.send(in4().tcp(1000, web, ack)).interface, inner_link);
  world.now += 120 * hz - 1;
  EXPECT_EQ(world.send(in4().tcp(1000, web, ack)).interface, inner_link);
  world.now += 1;
  EXPECT_EQ(world.send(in4().tcp(1000, web, ack)).verdict, Verdict::pass);
  EXPECT_EQ(world.counted(Reason::pass_no_connection), 2U);
}

TEST(Stateless, passes_over_servers_that_take_no_connections) {
  Cramped world;
  world.fill();
  world.director.load(world.rs[0]).weight = 0;
  for (u16 port = 1001; port < 1021; ++port) EXPECT_EQ(world.server_of(world.send(in4().udp(port, web))), 2U);
}

TEST(Stateless, a_tunnel_needs_no_record) {
  Cramped world(Method::tunnel);
  world.fill();
  const u64 before = world.counted(Reason::stateless);
  EXPECT_EQ(world.send(in4().udp(1001, web)).interface, inner_link);
  EXPECT_EQ(world.counted(Reason::stateless), before + 1);
}

TEST(Stateless, nat_and_fullnat_cannot_do_without_a_record_and_say_so) {
  for (const Method method : {Method::nat, Method::fullnat}) {
    Cramped world(method);
    world.fill();
    EXPECT_EQ(world.counted(Reason::stateless), 0U);
    EXPECT_GT(world.counted(Reason::connection_table_full) + world.counted(Reason::local_ports_exhausted), 150U);
    if (method == Method::fullnat) {
      EXPECT_EQ(world.records(Role::request), world.records(Role::reply));
    }
    world.expect_order();
  }
}

TEST(SynFlood, evicts_no_established_connection_of_any_method) {
  for (const Method method : {Method::direct, Method::nat, Method::fullnat, Method::tunnel}) {
    World world;
    world.director.add_local_address(inner_address);
    const u32 rs = world.add_rs(1, method);
    world.director.add_service({vip, web, 6}, {rs});
    for (u16 port = 101; port <= 180; ++port) {
      (void)world.send(in4().tcp(port, web, syn));
      (void)world.send(in4().tcp(port, web, ack));
    }
    for (u32 i = 0; i < 20000; ++i) {
      const std::string source =
          "203." + std::to_string(i >> 16) + "." + std::to_string(i >> 8 & 255) + "." + std::to_string(i & 255);
      (void)world.send(from_client().ipv4(source, vip).tcp(1000, web, syn));
    }
    for (u16 port = 101; port <= 180; ++port)
      ASSERT_EQ(state_bits(world.record(port).word), static_cast<u64>(TcpState::established)) << port;
    world.expect_order();
    if (method == Method::fullnat) {
      EXPECT_EQ(world.records(Role::reply), world.records(Role::request));
    }
  }
}

TEST(DropPacket, drops_one_in_so_many_that_would_begin_a_connection) {
  for (const u32 rate : {1U, 2U, 7U}) {
    World world;
    const u32 rs = world.add_rs(1, Method::direct);
    world.director.add_service({vip, dns, 17}, {rs});
    (void)world.send(in4().udp(50, dns));
    world.settings().drop_rate = rate;
    u32 dropped = 0;
    for (u16 port = 1001; port < 1001 + 70; ++port) {
      dropped += world.send(in4().udp(port, dns)).verdict == Verdict::drop ? 1 : 0;
      EXPECT_EQ(world.send(in4().udp(50, dns)).interface, inner_link) << "a known connection's packets are not dropped";
    }
    EXPECT_EQ(dropped, 70 / rate);
    EXPECT_EQ(world.counted(Reason::drop_packet), dropped);
  }
}

TEST(FromFtpsDataPort, nothing_begins) {
  World world;
  const u32 rs = world.add_rs(1, Method::direct);
  world.director.add_service({vip, dns, 17}, {rs});
  EXPECT_EQ(world.send(in4().udp(20, dns)).verdict, Verdict::pass);
  world.expect_counted(Reason::pass_no_connection);
}

TEST(Ipsec, follows_its_ike_connection_keeps_it_alive_and_begins_none) {
  World world;
  const u32 rs = world.add_rs(1, Method::direct);
  world.director.add_service({vip, 500, 17}, {rs});
  const Frame esp = in4().protocol(50).payload(100);
  EXPECT_EQ(world.send(esp).verdict, Verdict::pass);
  EXPECT_EQ(world.counted(Reason::pass_no_connection), 1U);
  (void)world.send(in4().udp(500, 500));
  for (u32 minute = 0; minute < 20; ++minute) {
    world.pass_seconds(60);
    expect_frame(world.send(esp), to_rs(1).ipv4(client, vip, {.ttl = 63}).protocol(50).payload(100), inner_link);
  }
}

TEST(Orphans, with_expire_nodest_conn_begin_anew_elsewhere) {
  for (const Method method : {Method::direct, Method::nat, Method::fullnat}) {
    World world;
    world.director.add_local_address(inner_address);
    const u32 rs1 = world.add_rs(1, method);
    const u32 rs2 = world.add_rs(2, method);
    world.director.add_service({vip, dns, 17}, {rs1});
    (void)world.send(in4().udp(1, dns));
    world.director.reschedule({vip, dns, 17}, {rs2});
    world.director.server(rs1).route.available = 0;
    EXPECT_EQ(world.send(in4().udp(1, dns)).verdict, Verdict::drop);
    EXPECT_EQ(world.counted(Reason::server_removed), 1U);
    world.settings().expire_nodest_conn = 1;
    EXPECT_EQ(world.send(in4().udp(1, dns)).frame.at(5), 2);
    EXPECT_EQ(world.record(1).server, rs2);
    world.expect_order();
    EXPECT_EQ(world.records(Role::reply), method == Method::fullnat ? 1U : 0U);
  }
}

TEST(Orphans, with_expire_nodest_conn_a_syn_leaves_a_quiesced_server) {
  World world;
  const u32 rs1 = world.add_rs(1, Method::direct);
  const u32 rs2 = world.add_rs(2, Method::direct);
  world.director.add_service({vip, web, 6}, {rs1, rs2});
  (void)world.send(in4().tcp(1, web, syn));
  world.settings().expire_nodest_conn = 1;
  world.director.load(rs1).weight = 0;
  EXPECT_EQ(world.send(in4().tcp(1, web, ack)).frame.at(5), 1);
  EXPECT_EQ(world.send(in4().tcp(1, web, syn)).frame.at(5), 2);
}

}  // namespace
}  // namespace penstock
