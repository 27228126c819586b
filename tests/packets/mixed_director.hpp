// A director of everything, drawn by chance: methods, tunnels, schedulers, settings, persistence, marks. The same seed gives the
// same director. For tests that send it anything.
#pragma once

#include <random>

#include "datapath/native/native_tables.hpp"
#include "tests/packets/director.hpp"

namespace penstock::packets {

namespace mixed {

inline constexpr Mac client_mac{2, 0, 0, 0, 0, 0xc1};
inline constexpr Mac director_mac{2, 0, 0, 0, 0, 0xd0};
inline constexpr u32 link = 1;  // frames come in by it
inline constexpr u32 other_link = 2;

inline constexpr const char* vips[] = {"192.0.2.1", "192.0.2.2", "fd00:1::1", "fd00:1::2"};
inline constexpr const char* marked[] = {"203.0.113.1", "2001:db8:99::1"};  // by rules of marks only
inline constexpr const char* tunnel_sources[] = {"10.0.0.1", "fd00::1"};
inline constexpr const char* local_addresses[] = {"10.0.0.2", "10.0.0.3", "fd00::2"};
inline constexpr u16 ports[] = {80, 53, 443, 21, 500, 8080};  // of services; what each does is drawn
inline constexpr u8 protocols[] = {6, 17, 132};

inline constexpr u32 servers = 16;  // half of them IPv6

}  // namespace mixed

class MixedDirector {
 public:
  // Tables as small as may be, so that they are full now and then.
  [[nodiscard]] static Config config() {
    Config config = small_config();
    config.connection_buckets = 16;
    config.service_buckets = 64;
    config.servers_max = 32;
    config.next_hops_max = 32;
    config.schedule_cells = 1U << 15;
    return config;
  }

  MixedDirector(const Tables& tables, std::uint64_t seed) : random_(seed), director_(tables) {
    director_.set_defaults(64);
    draw_settings(*tables.settings);
    director_.add_link({.index = mixed::link,
                        .address = mixed::director_mac,
                        .mtu = one_in(4) ? 1200U : 1500U,
                        .ipv4 = "198.51.100.254",
                        .ipv6 = "2001:db8::fe"});
    director_.add_link({.index = mixed::other_link, .address = mixed::director_mac});
    for (const char* address : mixed::local_addresses)
      if (!one_in(6)) director_.add_local_address(address);
    for (const char* address : mixed::tunnel_sources) director_.add_own(address, address[0] == '1' ? 32 : 128);
    draw_next_hops();
    for (u32 i = 0; i < mixed::servers; ++i) draw_server(i);
    draw_services();
    if (!one_in(3)) draw_marks();
  }

 private:
  u32 below(u32 bound) { return static_cast<u32>(random_() % bound); }
  bool one_in(u32 count) { return below(count) == 0; }

  // Connections live for a few ticks, so that tests see them expire.
  void draw_settings(Settings& settings) {
    auto& tcp = machine_of(settings, Machine::tcp).timeout;
    auto& sctp = machine_of(settings, Machine::sctp).timeout;
    for (u32& timeout : tcp) timeout = 24;
    for (u32& timeout : sctp) timeout = 20;
    tcp[static_cast<u32>(TcpState::established)] = 60;
    tcp[static_cast<u32>(TcpState::close)] = 3;
    machine_of(settings, Machine::udp).timeout[0] = 12;
    settings.sloppy_tcp = one_in(4);
    settings.sloppy_sctp = one_in(4);
    settings.expire_nodest_conn = one_in(3);
    settings.expire_quiescent_template = one_in(3);
    settings.conn_reuse_mode = below(4);
    settings.schedule_icmp = one_in(3);
    settings.nat_icmp_send = one_in(2);
    settings.pmtu_disc = !one_in(4);
    settings.cache_bypass = one_in(3);
    settings.drop_rate = one_in(4) ? 5 : 0;
    settings.toa_kind = one_in(4) ? 0 : 254;
    settings.lblc_expiration = 128;
    settings.lblcr_expiration = 128;
    if (one_in(4)) write_tcp_table(settings, tcp_secure);
  }

  static Mac mac_of_hop(u32 number) { return {2, 0, 0, 0, 1, static_cast<u8>(number)}; }

  // Of each family: on this link, on another, under a VLAN tag, narrow, not known, the director itself.
  void draw_next_hops() {
    for (u32 i = 0; i < 12; ++i) {
      const u32 kind = i / 2;
      const Hop hop{.source = mixed::director_mac,
                    .destination = mac_of_hop(i),
                    .interface = kind == 1 ? mixed::other_link : mixed::link,
                    .mtu = kind == 3 ? 600U : 1500U,
                    .state = kind == 4   ? NextHopState::unresolved
                             : kind == 5 ? NextHopState::local
                                         : NextHopState::resolved,
                    .address = mixed::tunnel_sources[i % 2],
                    .vlan = static_cast<u16>(kind == 2 ? 42 : 0)};
      hops_[i] = director_.add_next_hop(hop);
    }
  }

  void draw_server(u32 number) {
    static constexpr Method methods[] = {Method::direct, Method::nat, Method::tunnel, Method::fullnat};
    static constexpr TunnelType tunnels[] = {TunnelType::ipip, TunnelType::gre, TunnelType::gue};
    const bool v6 = number % 2 != 0;
    static constexpr u32 kinds[] = {0, 0, 0, 0, 0, 1, 1, 2, 3, 4, 5};  // resolved ones more often
    const u32 kind = kinds[below(11)];
    const Server server{.address = (v6 ? "fd00::" : "10.0.0.") + std::to_string(100 + number),
                        .next_hop = hops_[kind * 2 + (v6 ? 1 : 0)],
                        .method = methods[below(4)],
                        .port = static_cast<u16>(one_in(2) ? 0 : 8000 + number),
                        .weight = static_cast<s32>(one_in(6) ? 0 : 1 + below(4)),
                        .upper_threshold = one_in(4) ? 1 + below(20) : 0,
                        .lower_threshold = 0,
                        .tunnel = tunnels[below(3)],
                        .tunnel_checksum = one_in(2) ? TunnelChecksum::checksum : TunnelChecksum::none,
                        .tunnel_port = 6080};
    slots_.push_back(director_.add_server(server));
    if (server.method == Method::nat && server.port != 0)
      for (const u8 protocol : mixed::protocols) director_.add_server_port({server.address, server.port, protocol});
  }

  // A tunnel joins families, and fullnat leads from IPv6 to IPv4.
  bool fits(u32 slot, bool v6) const {
    const RealServer& server = director_.server(slot);
    const bool joins = server.route.method == Method::tunnel || (server.route.method == Method::fullnat && v6);
    return joins || (server.family == Family::ipv6) == v6;
  }

  std::vector<u32> draw_picks(bool v6, SchedulerKind kind) {
    std::vector<u32> fitting;
    for (const u32 slot : slots_)
      if (fits(slot, v6) && one_in(3)) fitting.push_back(slot);
    const bool hashed =
        kind == SchedulerKind::source_hash || kind == SchedulerKind::destination_hash || kind == SchedulerKind::maglev;
    if (!hashed || fitting.empty()) return fitting;
    std::vector<u32> table(kind == SchedulerKind::maglev ? 251 : 256);
    for (u32& slot : table) slot = one_in(50) ? no_slot : fitting[below(static_cast<u32>(fitting.size()))];
    return table;
  }

  void draw_service(const VirtualService& service) {
    const bool v6 = family_of(service.vip) == Family::ipv6;
    const auto kind = static_cast<SchedulerKind>(below(9));
    const Offered offered{.head = {.kind = kind,
                                   .overhead = static_cast<Overhead>(below(4)),
                                   .overflow = static_cast<u8>(one_in(3)),
                                   .fallback = static_cast<u8>(one_in(2)),
                                   .with_port = static_cast<u8>(one_in(2))},
                          .flags = (one_in(4) ? service_persistent : 0) | (one_in(8) ? service_one_packet : 0),
                          .persistence_ticks = 40,
                          .netmask = v6 ? 1 + below(128) : static_cast<u32>(mask_of_bits(1 + below(32)).low),
                          .id = id_++};
    director_.add_service(service, one_in(8) ? std::vector<u32>{} : draw_picks(v6, kind), offered);
  }

  void draw_services() {
    for (const char* vip : mixed::vips) {
      for (const u16 port : mixed::ports)
        for (const u8 protocol : mixed::protocols)
          if (!one_in(3)) draw_service({vip, port, protocol});
      if (one_in(4)) draw_service({vip, 0, 6});
    }
  }

  void draw_marks() {
    for (u32 mark = 1; mark <= 2; ++mark)
      for (const char* address : mixed::marked) draw_service({.vip = address, .mark = mark});
    const u32 rules = 1 + below(6);
    for (u32 i = 0; i < rules; ++i) {
      const u32 which = below(2);
      Marking marking{.mark = 1 + below(3), .family = which == 0 ? Family::ipv4 : Family::ipv6};
      if (one_in(3)) marking.protocol = mixed::protocols[below(3)];
      if (!one_in(4)) {
        marking.destination = mixed::marked[which];
        marking.destination_bits = which == 0 ? 8 + below(25) : 16 + below(113);
      }
      if (one_in(3)) marking.destination_ports = {{53, 443}};
      if (one_in(4)) marking.source_ports = {{1024, 1027}, {1030, 65535}};
      director_.add_mark(marking);
    }
  }

  std::mt19937_64 random_;
  Director director_;
  u32 hops_[12] = {};
  std::vector<u32> slots_;
  u32 id_ = 1;
};

}  // namespace penstock::packets
