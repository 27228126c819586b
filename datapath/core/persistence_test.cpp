// Persistence: which clients share a template, how long it lives, and when it is not used any more.
#include "datapath/core/persistence.hpp"

#include <gtest/gtest.h>

#include "tests/packets/world.hpp"

namespace penstock {
namespace {

using namespace packets;

constexpr u16 web = 80;
constexpr u32 timeout = 360 * hz;

u32 netmask(u32 bits) {
  const AddressImage mask = mask_of_bits(bits);
  return static_cast<u32>(mask.low);
}

Offered persistent(u32 mask = 0xffffffff) {
  return {.flags = service_persistent, .persistence_ticks = timeout, .netmask = mask};
}

// Servers 1 and 2 in turns.
struct Persistent : World {
  explicit Persistent(const Offered& offered = persistent(), const Offered& offered6 = persistent(128),
                      Method method = Method::direct) {
    director.add_local_address(inner_address);
    rs1 = add_rs(1, method);
    rs2 = add_rs(2, method);
    director.add_service({vip, web, 6}, {rs1, rs2}, offered);
    if (method == Method::direct) director.add_service({vip6, web, 6}, {rs1, rs2}, offered6);
  }
  u32 server_of(const Frame& frame) {
    const PacketResult result = send(frame);
    return result.interface == inner_link ? result.frame.at(5) : 0;
  }
  u32 from(const std::string& address, u16 port) {
    return server_of(from_client().ipv4(address, vip).tcp(port, web, syn));
  }
  u32 from6(const std::string& address, u16 port) {
    return server_of(from_client().ipv6(address, vip6).tcp(port, web, syn));
  }
  Connection only_template() {
    const auto templates = live_records(tables(), now, Role::persistence);
    EXPECT_EQ(templates.size(), 1U);
    return templates.empty() ? Connection{} : templates[0].connection;
  }
  u32 rs1 = 0;
  u32 rs2 = 0;
};

TEST(Persistence, a_client_stays_with_its_server_and_others_go_on) {
  Persistent world;
  EXPECT_EQ(world.from("198.51.100.7", 1), 1U);
  EXPECT_EQ(world.from("198.51.100.7", 2), 1U);
  EXPECT_EQ(world.from("198.51.100.8", 1), 2U);
  EXPECT_EQ(world.from("198.51.100.7", 3), 1U);
  EXPECT_EQ(world.records(Role::persistence), 2U);
  EXPECT_EQ(world.director.load(world.rs1).persistent, 1);
  world.expect_order();
}

TEST(Persistence, the_key_of_a_template_is_ipvss) {
  Persistent world(persistent(netmask(24)));
  (void)world.from("198.51.100.7", 40000);
  const Connection record = world.only_template();
  EXPECT_EQ(record.key.client.low, image_of("198.51.100.0").low);
  EXPECT_EQ(record.key.client_port, be16{});
  EXPECT_EQ(record.key.vip.low, image_of(vip).low);
  EXPECT_EQ(host(record.key.vip_port), web);
  EXPECT_EQ(record.key.protocol, 6);
  EXPECT_EQ(static_cast<u32>(record.word) - world.now, timeout);
}

TEST(Persistence, an_ipv4_netmask_groups_clients_at_every_length) {
  for (u32 bits = 1; bits <= 32; ++bits) {
    Persistent world(persistent(netmask(bits)));
    const auto address = [](u32 bit, bool set) {
      u32 number = 0x50000000;  // 80.0.0.0
      if (set) number ^= 0x80000000U >> bit;
      return std::to_string(number >> 24) + "." + std::to_string(number >> 16 & 255) + "." +
             std::to_string(number >> 8 & 255) + "." + std::to_string(number & 255);
    };
    ASSERT_EQ(world.from(address(0, false), 1), 1U);
    if (bits < 32) {
      EXPECT_EQ(world.from(address(bits, true), 2), 1U) << bits;
    }
    if (bits > 1) {  // the first bit would make it a multicast address
      EXPECT_EQ(world.from(address(bits - 1, true), 3), 2U) << bits;
    }
  }
}

TEST(Persistence, an_ipv6_prefix_groups_clients_at_every_length) {
  for (u32 bits = 4; bits <= 128; ++bits) {
    Persistent world(persistent(), persistent(bits));
    const auto address = [](u32 bit) {
      Bytes bytes = address_bytes("2001:db8::7");
      if (bit < 128) bytes[bit / 8] = static_cast<u8>(bytes[bit / 8] ^ 0x80U >> (bit % 8));
      char text[64];
      return std::string(inet_ntop(AF_INET6, bytes.data(), text, sizeof text));
    };
    ASSERT_EQ(world.from6(address(128), 1), 1U);
    if (bits < 128) {
      EXPECT_EQ(world.from6(address(bits), 2), 1U) << bits;
    }
    EXPECT_EQ(world.from6(address(bits - 1), 3), 2U) << bits;
  }
}

TEST(Persistence, a_template_lives_anew_with_each_connection_not_with_each_packet) {
  Persistent world;
  EXPECT_EQ(world.from("198.51.100.7", 1), 1U);
  world.now += timeout - 1;
  EXPECT_EQ(world.from("198.51.100.7", 2), 1U);
  EXPECT_EQ(static_cast<u32>(world.only_template().word) - world.now, timeout);
  world.now += 1000;
  (void)world.send(in4().tcp(2, web, ack));
  EXPECT_EQ(static_cast<u32>(world.only_template().word) - world.now, timeout - 1000);
  world.now += timeout;
  EXPECT_EQ(world.from("198.51.100.7", 3), 2U);
  world.expect_order();
}

TEST(Persistence, quiesced_server_keeps_persistent_client) {
  Persistent world;
  EXPECT_EQ(world.from("198.51.100.7", 1), 1U);
  world.director.load(world.rs1).weight = 0;
  EXPECT_EQ(world.from("198.51.100.7", 2), 1U);
  world.director.load(world.rs1).weight = 1;
  world.director.load(world.rs1).overloaded = 1;
  EXPECT_EQ(world.from("198.51.100.7", 3), 1U);
  EXPECT_EQ(world.from("198.51.100.8", 3), 2U);
}

// The template that can't be used is renamed, as IPVS does, and lives on until it expires.
TEST(Persistence, expire_quiescent_template_sends_the_client_elsewhere) {
  Persistent world;
  world.settings().expire_quiescent_template = 1;
  EXPECT_EQ(world.from("198.51.100.7", 1), 1U);
  world.director.load(world.rs1).weight = 0;
  EXPECT_EQ(world.from("198.51.100.7", 2), 2U);
  EXPECT_EQ(world.records(Role::persistence), 2U);
  EXPECT_EQ(world.director.load(world.rs1).persistent, 1);
  EXPECT_EQ(world.director.load(world.rs2).persistent, 1);
  world.director.load(world.rs1).weight = 1;
  EXPECT_EQ(world.from("198.51.100.7", 3), 2U);
  world.expect_order();
}

TEST(Persistence, expire_quiescent_template_with_no_server_left) {
  Persistent world;
  world.settings().expire_quiescent_template = 1;
  EXPECT_EQ(world.from("198.51.100.7", 1), 1U);
  world.director.load(world.rs1).weight = 0;
  world.director.load(world.rs2).weight = 0;
  EXPECT_EQ(world.from("198.51.100.7", 2), 0U);
  EXPECT_EQ(world.counted(Reason::no_destination), 1U);
  EXPECT_EQ(host(world.only_template().key.vip_port), 0xffff);
}

TEST(Persistence, a_removed_servers_template_is_not_used) {
  Persistent world;
  EXPECT_EQ(world.from("198.51.100.7", 1), 1U);
  world.director.server(world.rs1).route.available = 0;
  world.director.load(world.rs1).weight = 0;  // out of the schedule
  EXPECT_EQ(world.from("198.51.100.7", 2), 2U);
  world.expect_order();
}

TEST(Persistence, all_ports_of_a_port_zero_service_share_a_template) {
  Persistent world;
  const u32 rs3 = world.add_rs(3, Method::direct);
  const u32 rs4 = world.add_rs(4, Method::direct);
  world.director.add_service({vip, 0, 6}, {rs3, rs4}, persistent());
  EXPECT_EQ(world.server_of(in4().tcp(1, 1000, syn)), 3U);
  EXPECT_EQ(world.server_of(in4().tcp(2, 2000, syn)), 3U);
  EXPECT_EQ(world.server_of(in4().tcp(3, web, syn)), 1U) << "a service of the port itself comes first";
  EXPECT_EQ(world.server_of(from_client().ipv4("198.51.100.8", vip).tcp(2, 2000, syn)), 4U);
}

TEST(Persistence, ftps_data_follows_its_control) {
  World world;
  const u32 rs1 = world.add_rs(1, Method::direct);
  const u32 rs2 = world.add_rs(2, Method::direct);
  world.director.add_service({vip, 21, 6}, {rs1, rs2}, persistent());
  const auto server = [&](const std::string& from, u16 port) {
    const PacketResult result = world.send(from_client().ipv4(from, vip).tcp(5000, port, syn));
    return result.interface == inner_link ? u32{result.frame.at(5)} : 0U;
  };
  EXPECT_EQ(server(client, 21), 1U);
  EXPECT_EQ(server("198.51.100.8", 21), 2U);
  EXPECT_EQ(server("198.51.100.8", 40000), 2U);
  EXPECT_EQ(server(client, 40000), 1U);
  EXPECT_EQ(server(client, 1024), 1U);
  EXPECT_EQ(server(client, 20), 1U);
  EXPECT_EQ(server(client, 1023), 0U);
  EXPECT_EQ(world.counted(Reason::pass_no_service), 1U);
  world.director.reschedule({vip, 21, 6}, {});
  world.director.server(rs1).route.available = 0;
  EXPECT_EQ(server(client, 50000), 0U) << "left to the kernel, not refused";
  EXPECT_EQ(world.counted(Reason::pass_no_service), 2U);
}

TEST(Persistence, of_a_mark_all_addresses_ports_and_protocols_share_a_template) {
  World world;
  const u32 rs1 = world.add_rs(1, Method::direct);
  const u32 rs2 = world.add_rs(2, Method::direct);
  world.director.add_service({.vip = vip, .mark = 0x01020304}, {rs1, rs2}, persistent());
  world.director.add_mark({.mark = 0x01020304, .family = Family::ipv4});
  const auto server = [&](const Frame& frame) { return world.send(frame).frame.at(5); };
  EXPECT_EQ(server(in4().tcp(1, 80, syn)), 1);
  EXPECT_EQ(server(from_client().ipv4(client, "203.0.113.1").udp(2, 53)), 1);
  EXPECT_EQ(server(from_client().ipv4("198.51.100.8", "203.0.113.1").udp(2, 53)), 2);
  const auto templates = live_records(world.tables(), world.now, Role::persistence);
  ASSERT_EQ(templates.size(), 2U);
  EXPECT_EQ(templates[0].connection.key.vip.low, image_of("1.2.3.4").low) << "IPVS: the mark in network order";
  EXPECT_EQ(templates[0].connection.key.protocol, 0);
}

TEST(Persistence, a_template_knows_whether_a_connection_of_it_was_established) {
  Persistent world;
  (void)world.send(in4().tcp(1, web, syn));
  EXPECT_EQ(state_bits(world.only_template().word), 0U);
  (void)world.send(in4().tcp(1, web, ack));
  EXPECT_EQ(state_bits(world.only_template().word), 1U);
  EXPECT_EQ(static_cast<u32>(world.only_template().word) - world.now, timeout);
}

TEST(Persistence, or_of_udp_answered) {
  for (const Method method : {Method::nat, Method::fullnat}) {
    Persistent world(persistent(), persistent(128), method);
    world.director.add_service({vip, 53, 17}, {world.rs1}, persistent());
    const PacketResult sent = world.send(in4().udp(1, 53));
    EXPECT_EQ(state_bits(world.only_template().word), 0U);
    const u16 port = static_cast<u16>(sent.frame.at(34) << 8 | sent.frame.at(35));
    const std::string to = method == Method::nat ? client : inner_address;
    EXPECT_EQ(world.reply(from_rs(1).ipv4(rip(1), to).udp(53, port)).interface, outer_link);
    EXPECT_EQ(state_bits(world.only_template().word), 1U);
  }
}

TEST(Persistence, every_method_keeps_its_client) {
  for (const Method method : {Method::direct, Method::nat, Method::fullnat, Method::tunnel}) {
    Persistent world(persistent(), persistent(128), method);
    EXPECT_EQ(world.from("198.51.100.7", 1), 1U);
    EXPECT_EQ(world.from("198.51.100.7", 2), 1U);
    EXPECT_EQ(world.from("198.51.100.8", 1), 2U);
    world.expect_order();
  }
}

}  // namespace
}  // namespace penstock
