// A director between clients and real servers, and what goes in and out of it: outer link 1 with the clients' router, inner link 2
// with the real servers. Tests add the servers and services that they are about.
#pragma once

#include <gtest/gtest.h>

#include <optional>

#include "datapath/native/native_platform.hpp"
#include "datapath/native/native_tables.hpp"
#include "tests/packets/director.hpp"
#include "tests/packets/inventory.hpp"

namespace penstock::packets {

inline constexpr Mac client_mac{2, 0, 0, 0, 0, 0xc1};    // the clients' router, on the outer link
inline constexpr Mac director_mac{2, 0, 0, 0, 0, 0xd0};  // ours there
inline constexpr Mac inner_mac{2, 0, 0, 0, 1, 0xd0};     // ours on the inner link
[[nodiscard]] inline Mac rs_mac(u32 number) { return {2, 0, 0, 0, 1, static_cast<u8>(number)}; }
inline constexpr u32 outer_link = 1;
inline constexpr u32 inner_link = 2;

inline const std::string client = "198.51.100.7";
inline const std::string client6 = "2001:db8::7";
inline const std::string vip = "192.0.2.1";
inline const std::string vip6 = "2001:db8:1::1";
inline const std::string inner_address = "10.0.0.1";  // ours on the inner link
inline const std::string inner_address6 = "fd00::1";
[[nodiscard]] inline std::string rip(u32 number) { return "10.0.0." + std::to_string(number); }
[[nodiscard]] inline std::string rip6(u32 number) { return "fd00::" + std::to_string(number); }

inline constexpr u32 hz = 1000;

// Frames of clients and of real servers as they come, and as they go.
[[nodiscard]] inline Frame from_client() { return eth(client_mac, director_mac); }
[[nodiscard]] inline Frame to_client() { return eth(director_mac, client_mac); }
[[nodiscard]] inline Frame from_rs(u32 number) { return eth(rs_mac(number), inner_mac); }
[[nodiscard]] inline Frame to_rs(u32 number) { return eth(inner_mac, rs_mac(number)); }
[[nodiscard]] inline Frame in4(const IpFields& ip = {}) { return from_client().ipv4(client, vip, ip); }
[[nodiscard]] inline Frame in6(const IpFields& ip = {}) { return from_client().ipv6(client6, vip6, ip); }

// The first `count` bytes of a frame's IP packet, as an ICMP error quotes them.
[[nodiscard]] inline Bytes quote(const Frame& frame, std::size_t count = 65535) {
  Bytes packet = frame.packet();
  packet.resize(std::min(count, packet.size()));
  return packet;
}

// The frame, with no more than so many bytes before it: 2 and a multiple of 4, so that its IP header is aligned.
[[nodiscard]] inline FrameBuffer with_headroom(const Bytes& frame, std::size_t headroom) {
  FrameBuffer buffer(frame);
  if (!buffer.grow_head(FrameBuffer::headroom - headroom)) throw std::invalid_argument("headroom");
  std::ranges::copy(frame, buffer.begin());
  if (!buffer.cut_to(frame.size())) throw std::invalid_argument("headroom");
  return buffer;
}

class World {
 public:
  static Config small() {
    Config config = small_config();
    config.connection_buckets = 64;
    config.servers_max = 64;
    return config;
  }

  explicit World(const Config& config = small()) : tables_(config), director(tables_.view()) {
    director.set_defaults(hz);
    director.add_link({.index = outer_link, .address = director_mac, .ipv4 = "198.51.100.1", .ipv6 = "2001:db8::1"});
    director.add_link({.index = inner_link, .address = inner_mac, .ipv4 = inner_address, .ipv6 = inner_address6});
  }

  [[nodiscard]] Tables& tables() { return tables_.view(); }
  [[nodiscard]] Settings& settings() { return *tables().settings; }

  // To real server `number` on the inner link.
  u32 add_hop(u32 number, u32 mtu = 1500, NextHopState state = NextHopState::resolved, Family family = Family::ipv4) {
    return director.add_next_hop({.source = inner_mac,
                                  .destination = rs_mac(number),
                                  .interface = inner_link,
                                  .mtu = mtu,
                                  .state = state,
                                  .address = family == Family::ipv4 ? inner_address : inner_address6});
  }

  // Real server `number`, reached on the inner link, in the family of its method's packets.
  u32 add_rs(u32 number, Method method, Server like = {}) {
    like.method = method;
    like.address = rip(number);
    if (like.next_hop == no_next_hop) like.next_hop = add_hop(number);
    return director.add_server(like);
  }
  u32 add_rs6(u32 number, Method method, Server like = {}) {
    like.method = method;
    like.address = rip6(number);
    if (like.next_hop == no_next_hop) like.next_hop = add_hop(number, 1500, NextHopState::resolved, Family::ipv6);
    return director.add_server(like);
  }

  PacketResult send(const Bytes& frame, u32 ingress = outer_link) { return process(tables(), frame, now, ingress); }
  PacketResult reply(const Bytes& frame) { return send(frame, inner_link); }

  void pass_seconds(u32 seconds) { now += seconds * hz; }

  [[nodiscard]] u64 counted(Reason reason) { return tables().reasons[0].packets[static_cast<u32>(reason)]; }
  void expect_counted(std::optional<Reason> reason) {
    for (u32 i = 0; i < reasons; ++i) {
      EXPECT_EQ(tables().reasons[0].packets[i], reason && static_cast<u32>(*reason) == i ? 1 : 0) << "reason " << i;
    }
  }

  // The record of that role and client port; none, or more than one, is a failure.
  [[nodiscard]] Connection record(u16 client_port, Role role = Role::request) {
    std::optional<Connection> found;
    for (const Record& record : live_records(tables(), now, role)) {
      if (host(record.connection.key.client_port) != client_port) continue;
      EXPECT_FALSE(found) << "port " << client_port << " has two records";
      found = record.connection;
    }
    EXPECT_TRUE(found) << "port " << client_port << " has no record";
    return found.value_or(Connection{});
  }
  [[nodiscard]] std::size_t records(Role role) { return live_records(tables(), now, role).size(); }

  void expect_order() {
    expect_loads_to_match(tables());
    expect_tags_to_match(tables());
    EXPECT_EQ(duplicates(tables(), now), 0U);
    EXPECT_EQ(unanswerable(tables(), now).size(), 0U);
    EXPECT_EQ(counted(Reason::bug), 0U);
  }

 private:
  NativeTables tables_;

 public:
  Director director;
  u32 now = 1'000'000;
};

inline void expect_frame(const PacketResult& result, const Frame& expected, u32 interface) {
  EXPECT_EQ(hex(result.frame), hex(expected.bytes()));
  EXPECT_EQ(result.interface, interface);
  EXPECT_TRUE(result.verdict == Verdict::transmit || result.verdict == Verdict::redirect);
}

}  // namespace penstock::packets
