#include "bench/cluster.hpp"

#include <algorithm>

#include "bench/bpf_object.hpp"
#include "bench/flow_plan.hpp"
#include "control/loader.hpp"
#include "control/settings.hpp"
#include "control/sizes.hpp"
#include "datapath/core/wire.hpp"

namespace penstock::bench {
namespace {

constexpr u32 loopback = 1;  // BPF_PROG_TEST_RUN's packets come in by it; leaving by the same interface is XDP_TX

AddressImage ipv4(u8 a, u8 b, u8 c, u8 d) {
  return {.low = u64{a} | u64{b} << 8 | u64{c} << 16 | u64{d} << 24, .high = 0};
}

// 2001:db8:<net>::<host>
AddressImage ipv6(u16 net, u32 host_word) {
  constexpr u64 documentation = 0xb80d0120;  // 2001:0db8, as bytes in memory
  return {.low = documentation | u64{static_cast<u16>(big(net))} << 32, .high = u64{host_word} << 32};
}

NextHop next_hop_of(u32 server) {
  NextHop hop{};
  std::ranges::copy(std::initializer_list<u8>{0x02, 0, 0, 0, 1, static_cast<u8>(server)}, hop.destination);
  std::ranges::copy(std::initializer_list<u8>{0x02, 0, 0, 0, 0, 1}, hop.source);
  hop.interface = loopback;
  hop.mtu = 1500;
  hop.state = NextHopState::resolved;
  return hop;
}

RealServer real_server(u32 slot) {
  RealServer server{};
  server.route = {.next_hop = slot, .generation = 1, .method = Method::direct, .available = 1};
  server.address = ipv4(172, 16, 0, static_cast<u8>(31 + slot));
  server.family = Family::ipv4;
  return server;
}

}  // namespace

Config bench_config() {
  const u32 cpus = value_or_give_up(control::possible_cpus());
  Config config = value_or_give_up(control::config_of({}, cpus));
  config.hash_key[0] = 0x3b1f6d4ca02795e8ULL;
  config.hash_key[1] = 0x9d62c8f3157e4ab0ULL;
  for (u32 i = 2; i < hash_key_words; ++i) config.hash_key[i] = config.hash_key[i - 2] * 0x9e3779b97f4a7c15ULL;
  return config;
}

AddressImage vip(Family family) { return family == Family::ipv4 ? ipv4(192, 0, 2, 1) : ipv6(0xffff, 0x01000000); }

AddressImage foreign_address(Family family) {
  return family == Family::ipv4 ? ipv4(203, 0, 113, 9) : ipv6(0xfff0, 0x09000000);
}

FlowKey key_of_flow(u32 flow, Family family, u8 protocol) {
  const u32 word = client_word(flow);
  return {.client = family == Family::ipv4 ? AddressImage{.low = word, .high = 0} : ipv6(1, word),
          .vip = vip(family),
          .client_port = client_port(flow),
          .vip_port = big(service_port),
          .protocol = protocol,
          .family = family,
          .zero = 0};
}

void write_cluster(const Tables& tables, u32 ticks_per_second) {
  *tables.settings = control::initial_settings(ticks_per_second);
  tables.interfaces[loopback] = {.address = {0x02, 0, 0, 0, 0, 1}, .known = 1, .mode = XdpMode::native};
  tables.schedules[service_schedule] = 0;
  for (u32 i = 0; i < servers; ++i) {
    const u32 slot = server_of_turn(i);
    tables.servers[slot] = real_server(slot);
    tables.next_hops[slot] = next_hop_of(slot);
    tables.schedules[service_schedule + schedule_header_cells + i] = slot;
  }
}

std::vector<ServiceKey> service_keys() {
  std::vector<ServiceKey> keys;
  for (const Family family : {Family::ipv4, Family::ipv6})
    for (const u8 protocol : {protocol_tcp, protocol_udp})
      keys.push_back(
          {.vip = vip(family), .port = big(service_port), .protocol = protocol, .family = family, .zero = 0});
  return keys;
}

ScheduleRef schedule_ref() { return {.offset = service_schedule, .size = servers}; }

}  // namespace penstock::bench
