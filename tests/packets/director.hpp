// A director programmed by hand, for tests of the packet path alone: services, servers and next hops written straight into
// tables, native or mapped. Who may write what, and in which order, does not matter here: no packet is on its way meanwhile.
#pragma once

#include <cstring>
#include <string>
#include <vector>

#include "datapath/core/hash.hpp"
#include "datapath/core/table_insert.hpp"
#include "datapath/core/wire.hpp"
#include "datapath/native/tables.hpp"
#include "tests/packets/frame.hpp"

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
  std::string vip;
  u16 port;
  u8 protocol;
};

struct Hop {
  Mac source;
  Mac destination;
  u32 interface;
  u32 mtu = 1500;
  NextHopState state = NextHopState::resolved;
};

class Director {
 public:
  explicit Director(const Tables& tables) : tables_(tables) {}

  // IPVS's timeouts and settings, for a clock of so many ticks a second.
  void set_defaults(u32 ticks_per_second) {
    static constexpr u32 seconds[tcp_states] = {2, 900, 120, 60, 120, 120, 10, 60, 30, 120, 120};
    Settings& settings = *tables_.settings;
    settings = {};
    settings.ticks_per_second = ticks_per_second;
    for (u32 state = 0; state < tcp_states; ++state) settings.tcp_timeout[state] = seconds[state] * ticks_per_second;
    settings.udp_timeout = 300 * ticks_per_second;
    settings.conn_reuse_mode = 1;
  }

  // Row 0 stays unresolved.
  u32 add_next_hop(const Hop& hop) {
    const u32 row = ++next_hops_;
    set_next_hop(row, hop);
    return row;
  }
  void set_next_hop(u32 row, const Hop& hop) {
    NextHop& to = tables_.next_hops[row];
    std::memcpy(to.destination, hop.destination.data(), 6);
    std::memcpy(to.source, hop.source.data(), 6);
    to.interface = hop.interface;
    to.mtu = hop.mtu;
    to.state = hop.state;
  }

  // Its slot. Forwarded to directly.
  u32 add_server(const std::string& address, u32 next_hop) {
    const u32 slot = servers_++;
    RealServer& to = tables_.servers[slot];
    to.address = image_of(address);
    to.family = family_of(address);
    to.route = {.next_hop = next_hop, .generation = 1, .method = Method::direct, .available = 1};
    return slot;
  }
  [[nodiscard]] RealServer& server(u32 slot) const { return tables_.servers[slot]; }

  // Servers are picked in this order, over and over.
  void add_service(const VirtualService& service, const std::vector<u32>& picks) {
    const ScheduleRef schedule = write_schedule(picks);
    const ServiceKey key = key_of(service);
    const Service content{.word = 0, .key = key, .schedule = schedule, .id = 0, .flags = 0, .reserved = {}};
    const auto ends = [](const Service&, u64) {};
    const Place place = place_of(hash_of(tables_.config.hash_key, key), tables_.config.service_buckets);
    const auto inserted =
        insert_record<Service>(tables_.service_table(), place, content, 0, 0, 0, WhenFull::refuse, ends);
    if (!inserted.stored) throw std::runtime_error("no room for service " + service.vip);
    const u32 bit = vip_filter_bit(key.vip);
    tables_.vip_filter->bits[bit / 64] |= 1ULL << (bit % 64);
  }

  // All its servers quiesced, or others, or in another order.
  void reschedule(const VirtualService& service, const std::vector<u32>& picks) {
    const ScheduleRef schedule = write_schedule(picks);
    const ServiceKey key = key_of(service);
    for (ServiceBucket& bucket : tables_.services) {
      for (Service& record : bucket.records) {
        if (record.word != 0 && std::memcmp(&record.key, &key, sizeof key) == 0) record.schedule = schedule;
      }
    }
  }

 private:
  static ServiceKey key_of(const VirtualService& service) {
    return {.vip = image_of(service.vip),
            .port = big(service.port),
            .protocol = service.protocol,
            .family = family_of(service.vip),
            .zero = 0};
  }

  ScheduleRef write_schedule(const std::vector<u32>& picks) {
    const ScheduleRef schedule{.offset = cells_, .size = static_cast<u32>(picks.size())};
    tables_.schedules[cells_++] = 0;
    for (const u32 slot : picks) tables_.schedules[cells_++] = slot;
    return schedule;
  }

  const Tables& tables_;
  u32 next_hops_ = 0;
  u32 servers_ = 0;
  u32 cells_ = 0;
};

}  // namespace penstock::packets
