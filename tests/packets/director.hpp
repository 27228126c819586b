// A director programmed by hand, for tests of the packet path alone: services, servers, next hops, marks and the rest, written
// straight into tables, native or mapped. Who may write what, and in which order, does not matter here: no packet is on its way
// meanwhile.
#pragma once

#include <algorithm>
#include <bit>
#include <cstring>
#include <string>
#include <vector>

#include "datapath/core/hash.hpp"
#include "datapath/core/table_insert.hpp"
#include "datapath/core/wire.hpp"
#include "datapath/native/tables.hpp"
#include "tests/packets/frame.hpp"
#include "tests/packets/settings.hpp"

namespace penstock::packets {

[[nodiscard]] inline Family family_of(const std::string& address) {
  return address.find(':') == std::string::npos ? Family::ipv4 : Family::ipv6;
}

[[nodiscard]] inline AddressImage image_of(const std::string& address) {
  const Bytes bytes = address_bytes(address);
  AddressImage image{};
  std::memcpy(&image, bytes.data(), bytes.size());
  return image;
}

struct VirtualService {
  std::string vip;  // by mark: of the service's family, else it doesn't matter
  u16 port = 0;
  u8 protocol = 0;
  u32 mark = 0;
};

// What else there is to say of a service.
struct Offered {
  ScheduleHead head{};  // in turns
  u32 flags = 0;
  u32 persistence_ticks = 0;
  u32 netmask = 0xffffffff;  // IPv4: as on the wire. IPv6: a length
  u32 id = 0;
};

struct Hop {
  Mac source;
  Mac destination;
  u32 interface;
  u32 mtu = 1500;
  NextHopState state = NextHopState::resolved;
  std::string address{};  // the director's own on the way
  u16 vlan = 0;           // tag, as a number
};

struct Server {
  std::string address;
  u32 next_hop;
  Method method = Method::direct;
  u16 port = 0;  // the packet's
  s32 weight = 1;
  u32 upper_threshold = 0;
  u32 lower_threshold = 0;
  TunnelType tunnel = TunnelType::ipip;
  TunnelChecksum tunnel_checksum = TunnelChecksum::none;
  u16 tunnel_port = 0;
};

struct Link {
  u32 index;
  Mac address;
  u32 mtu = 1500;
  Hook hook = Hook::native;
  std::string ipv4{};  // the director's address there
  std::string ipv6{};
};

struct Marking {
  u32 mark;
  Family family;
  u8 protocol = 0;
  std::string destination{};  // with `destination_bits`; empty: any
  u32 destination_bits = 0;
  std::string source{};
  u32 source_bits = 0;
  std::vector<PortRange> source_ports{};
  std::vector<PortRange> destination_ports{};
};

// The first `bits` of an address, bit by bit.
[[nodiscard]] inline AddressImage mask_of_bits(u32 bits) {
  Bytes bytes(16);
  for (u32 i = 0; i < bits; ++i) bytes[i / 8] = static_cast<std::uint8_t>(bytes[i / 8] | 0x80U >> (i % 8));
  AddressImage mask{};
  std::memcpy(&mask, bytes.data(), bytes.size());
  return mask;
}

class Director {
 public:
  explicit Director(const Tables& tables) : tables_(tables) {
    tables_.servers[server_of_none].route = {
        .next_hop = no_next_hop, .generation = 0, .method = Method::bypass, .available = 1};
    tables_.loads[server_of_none].weight = 1;
  }

  // IPVS's timeouts and settings, for a clock of so many ticks a second.
  void set_defaults(u32 ticks_per_second) { *tables_.settings = ipvs_settings(ticks_per_second); }

  void add_link(const Link& link) {
    Interface& to = tables_.interfaces[link.index];
    std::ranges::copy(link.address, to.address);
    to.known = 1;
    to.hook = link.hook;
    to.mtu = link.mtu;
    if (!link.ipv4.empty()) to.ipv4 = static_cast<u32>(image_of(link.ipv4).low);
    if (!link.ipv6.empty()) to.ipv6 = image_of(link.ipv6);
  }

  // Row 0 stays unresolved.
  u32 add_next_hop(const Hop& hop) {
    const u32 row = ++next_hops_;
    set_next_hop(row, hop);
    return row;
  }
  void set_next_hop(u32 row, const Hop& hop) {
    NextHop& to = tables_.next_hops[row];
    std::ranges::copy(hop.destination, to.destination);
    std::ranges::copy(hop.source, to.source);
    to.interface = hop.interface;
    to.mtu = hop.mtu;
    to.state = hop.state;
    to.vlan = big(hop.vlan);
    if (!hop.address.empty()) {
      to.address = image_of(hop.address);
      set_bit(tables_.vip_filter->bits, vip_filter_bit(to.address));
    }
  }

  // Its slot, from 1 on.
  u32 add_server(const Server& server) {
    const u32 slot = servers_++;
    RealServer& to = tables_.servers[slot];
    to.address = image_of(server.address);
    to.family = family_of(server.address);
    to.port = big(server.port);
    to.tunnel = server.tunnel;
    to.tunnel_port = big(server.tunnel_port);
    to.tunnel_checksum = server.tunnel_checksum;
    to.route = {.next_hop = server.next_hop, .generation = 1, .method = server.method, .available = 1};
    ServerLoad& load = tables_.loads[slot];
    load.weight = server.weight;
    load.upper_threshold = server.upper_threshold;
    load.lower_threshold = server.lower_threshold;
    if (server.method == Method::nat || server.method == Method::fullnat) {
      set_bit(tables_.vip_filter->servers, vip_filter_bit(to.address));
      tables_.vip_filter->uses |= filter_has_servers;
      ++tables_.settings->translating_servers;
    }
    if (server.method == Method::tunnel) ++tables_.settings->tunnel_servers;
    return slot;
  }
  u32 add_server(const std::string& address, u32 next_hop) {
    return add_server(Server{.address = address, .next_hop = next_hop});
  }
  [[nodiscard]] RealServer& server(u32 slot) const { return tables_.servers[slot]; }
  [[nodiscard]] ServerLoad& load(u32 slot) const { return tables_.loads[slot]; }

  // `picks`: slots, in the order that the kind of schedule wants them.
  void add_service(const VirtualService& service, const std::vector<u32>& picks, const Offered& offered = {}) {
    const ServiceKey key = key_of(service);
    insert_service({.word = 0,
                    .key = key,
                    .schedule = write_schedule(picks, offered.head),
                    .id = offered.id,
                    .flags = offered.flags,
                    .persistence_ticks = offered.persistence_ticks,
                    .netmask = offered.netmask,
                    .reserved = 0});
    if (service.mark != 0) return;
    set_bit(tables_.vip_filter->bits, vip_filter_bit(key.vip));
    Settings& settings = *tables_.settings;
    if (service.port == 0) ++settings.port_zero_services;
    if (service.port == 21) ++settings.ftp_services;
  }

  // A port of a real server, whose packets of no connection are refused (nat_icmp_send).
  void add_server_port(const VirtualService& server) {
    ServiceKey key = key_of(server);
    key.mark = mark_of_server;
    Service content{};
    content.key = key;
    insert_service(content);
  }

  // All its servers quiesced, or others, or in another order.
  void reschedule(const VirtualService& service, const std::vector<u32>& picks, const ScheduleHead& head = {}) {
    const ScheduleRef schedule = write_schedule(picks, head);
    find_service(service).schedule = schedule;
  }
  [[nodiscard]] Service& find_service(const VirtualService& service) const {
    const ServiceKey key = key_of(service);
    for (ServiceBucket& bucket : tables_.services) {
      for (Service& record : bucket.records) {
        if (record.word != 0 && std::memcmp(&record.key, &key, sizeof key) == 0) return record;
      }
    }
    throw std::runtime_error("no service " + service.vip);
  }

  void add_mark(const Marking& marking) {
    MarkRule& rule = tables_.mark_rules->rules[tables_.settings->mark_rules++];
    rule = {};
    rule.mark = marking.mark;
    rule.family = marking.family;
    rule.protocol = marking.protocol;
    if (!marking.source.empty()) rule.source = image_of(marking.source);
    if (!marking.destination.empty()) rule.destination = image_of(marking.destination);
    rule.source_mask = mask_of_bits(marking.source_bits);
    rule.destination_mask = mask_of_bits(marking.destination_bits);
    rule.source_port_ranges = static_cast<u8>(marking.source_ports.size());
    rule.destination_port_ranges = static_cast<u8>(marking.destination_ports.size());
    std::ranges::copy(marking.source_ports, rule.source_ports);
    std::ranges::copy(marking.destination_ports, rule.destination_ports);
    tables_.vip_filter->uses |= filter_has_marked;
    for (u32 bits = 0; bits < vip_filter_bits; ++bits) {
      const u32 mask = static_cast<u16>(rule.destination_mask.low);
      if (((bits ^ static_cast<u16>(rule.destination.low)) & mask) == 0)
        set_bit(tables_.vip_filter->marked[marking.family == Family::ipv6], bits);
    }
  }

  // A local route of the kernel: addresses of the director itself.
  void add_own(const std::string& address, u32 bits) {
    OwnPrefixes& own = *tables_.own_prefixes;
    own.prefixes[own.count++] = {
        .prefix = image_of(address), .mask = mask_of_bits(bits), .family = family_of(address), .zero = {}};
  }

  // fullnat connects from it.
  void add_local_address(const std::string& address) {
    LocalPool& pool = *tables_.local_pool;
    const u32 family = family_of(address) == Family::ipv6;
    pool.addresses[local_addresses_] = image_of(address);
    pool.order[family][pool.count[family]++] = static_cast<u8>(local_addresses_++);
    set_bit(tables_.vip_filter->bits, vip_filter_bit(image_of(address)));
  }

 private:
  static void set_bit(u64 (&bits)[vip_filter_bits / 64], u32 bit) { bits[bit / 64] |= 1ULL << (bit % 64); }

  static ServiceKey key_of(const VirtualService& service) {
    const Family family = family_of(service.vip);
    if (service.mark != 0) return {.vip = {}, .port = {}, .protocol = 0, .family = family, .mark = service.mark};
    return {.vip = image_of(service.vip),
            .port = big(service.port),
            .protocol = service.protocol,
            .family = family,
            .mark = 0};
  }

  void insert_service(const Service& content) {
    const auto ends = [](const Service&, u64) {};
    const Place place = place_of(hash_of(tables_.config.hash_key, content.key), tables_.config.service_buckets);
    const auto inserted =
        insert_record<Service>(tables_.service_table(), place, content, 0, 0, 0, WhenFull::refuse, ends);
    if (!inserted.stored) throw std::runtime_error("no room for a service");
  }

  ScheduleRef write_schedule(const std::vector<u32>& picks, const ScheduleHead& head) {
    const ScheduleRef schedule{.offset = cells_, .size = static_cast<u32>(picks.size())};
    tables_.schedules[cells_] = 0;
    tables_.schedules[cells_ + schedule_head_cell] = std::bit_cast<u64>(head);
    cells_ += schedule_header_cells;
    for (const u32 slot : picks) tables_.schedules[cells_++] = slot;
    return schedule;
  }

  const Tables& tables_;
  u32 next_hops_ = 0;
  u32 servers_ = server_of_none + 1;
  u32 cells_ = 0;
  u32 local_addresses_ = 0;
};

}  // namespace penstock::packets
