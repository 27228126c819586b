#include "bench/cluster.hpp"

#include <algorithm>
#include <bit>

#include "bench/bpf_object.hpp"
#include "control/images.hpp"
#include "control/loader.hpp"
#include "control/service_program.hpp"
#include "control/settings.hpp"
#include "control/sizes.hpp"
#include "datapath/core/hash.hpp"
#include "datapath/core/wire.hpp"
#include "datapath/native/filter_uses.hpp"

namespace penstock::bench {
namespace {

constexpr u32 loopback = 1;  // BPF_PROG_TEST_RUN's packets come in by it; leaving by the same interface is XDP_TX
constexpr u32 local_addresses = 16;
constexpr u32 director_address = 0xac10001eU;  // 172.16.0.30
constexpr u16 gue_port = 6080;
constexpr u32 persistence_s = 300;

AddressImage ipv4(u32 word) { return {.low = word, .high = 0}; }

// 2001:db8:<net>::<host>
AddressImage ipv6(u16 net, u32 host_word) {
  constexpr u64 documentation = 0xb80d0120;  // 2001:0db8, as bytes in memory
  return {.low = documentation | u64{static_cast<u16>(big(net))} << 32, .high = u64{host_word} << 32};
}

NextHop next_hop_of(u32 slot) {
  NextHop hop{};
  std::ranges::copy(std::initializer_list<u8>{0x02, 0, 0, 0, static_cast<u8>(1 + slot / 256), static_cast<u8>(slot)},
                    hop.destination);
  std::ranges::copy(std::initializer_list<u8>{0x02, 0, 0, 0, 0, 1}, hop.source);
  hop.interface = loopback;
  hop.mtu = 1500;
  hop.state = NextHopState::resolved;
  hop.address = ipv4(ipv4_word(director_address));
  return hop;
}

RealServer real_server(const Cluster& cluster, u32 slot) {
  RealServer server{};
  server.route = {.next_hop = slot, .generation = 1, .method = cluster.method, .available = 1};
  server.address = server_address(slot);
  server.family = Family::ipv4;
  server.tunnel = cluster.tunnel;
  server.tunnel_port = big(gue_port);
  return server;
}

s32 weight_of(u32 server) { return static_cast<s32>(1 + server % 4); }

void write_servers(const Tables& tables, const Cluster& cluster) {
  for (u32 i = 0; i < cluster.servers; ++i) {
    const u32 slot = first_server + i;
    tables.servers[slot] = real_server(cluster, slot);
    tables.loads[slot].weight = weight_of(i);
    tables.next_hops[slot] = next_hop_of(slot);
  }
}

std::vector<u32> picks_of(const Cluster& cluster, const model::Service& service) {
  std::vector<schedulers::Server> servers;
  for (u32 i = 0; i < cluster.servers; ++i) {
    const AddressImage address = server_address(first_server + i);
    servers.push_back({.weight = weight_of(i),
                       .last_weight = weight_of(i),
                       .endpoint = control::endpoint_of(address, Family::ipv4, big(service_port))});
  }
  return schedulers::begin(control::kind_of(service), servers).picks;
}

void write_schedule(const Tables& tables, const Cluster& cluster) {
  model::Service service;
  service.scheduler = cluster.scheduler;
  const std::vector<u32> picks = picks_of(cluster, service);
  if (service_schedule + schedule_header_cells + picks.size() > tables.schedules.size())
    give_up("no room for a schedule");
  tables.schedules[service_schedule] = 0;
  tables.schedules[service_schedule + schedule_head_cell] = std::bit_cast<u64>(control::head_of(service));
  for (std::size_t i = 0; i < picks.size(); ++i)
    tables.schedules[service_schedule + schedule_header_cells + i] = first_server + picks[i];
}

u32 size_of_schedule(const Cluster& cluster) {
  model::Service service;
  service.scheduler = cluster.scheduler;
  return static_cast<u32>(picks_of(cluster, service).size());
}

void set_bit(u64 (&bits)[vip_filter_bits / 64], u32 bit) { bits[bit / 64] |= u64{1} << (bit % 64); }

// The first rule is looked at last: the others mean other addresses.
void write_mark_rules(const Tables& tables, const Cluster& cluster) {
  for (u32 i = 0; i < cluster.mark_rules; ++i) {
    MarkRule& rule = tables.mark_rules->rules[i];
    rule = {};
    rule.destination = i == 0 ? vip(Family::ipv4) : ipv4(ipv4_word(0xc6336400U + i));  // 198.51.100.0
    rule.destination_mask = ipv4(~0U);
    rule.mark = fwmark + i;
    rule.family = Family::ipv4;
    rule.protocol = protocol_tcp;
    rule.destination_port_ranges = 1;
    rule.destination_ports[0] = {service_port, service_port};
    set_bit(tables.vip_filter->marked[0], static_cast<u16>(rule.destination.low));
    tables.vip_filter->uses |= filter_has_marked;
  }
}

void write_local_pool(LocalPool& pool) {
  for (u32 i = 0; i < local_addresses; ++i) {
    pool.addresses[i] = local_address(i);
    pool.order[0][i] = static_cast<u8>(i);
  }
  pool.count[0] = local_addresses;
}

void write_filter(VipFilter& filter, const Cluster& cluster) {
  for (const Family family : {Family::ipv4, Family::ipv6}) set_bit(filter.bits, vip_filter_bit(vip(family)));
  if (cluster.method == Method::fullnat)
    for (u32 i = 0; i < local_addresses; ++i) set_bit(filter.bits, vip_filter_bit(local_address(i)));
  if (cluster.method == Method::tunnel) set_bit(filter.bits, vip_filter_bit(ipv4(ipv4_word(director_address))));
  if (cluster.method == Method::nat || cluster.method == Method::fullnat)
    for (u32 i = 0; i < cluster.servers; ++i) set_bit(filter.servers, vip_filter_bit(server_address(first_server + i)));
  filter.uses |= uses_of(filter);
}

ScheduleRef schedule_ref(const Cluster& cluster) {
  return {.offset = service_schedule, .size = size_of_schedule(cluster)};
}

}  // namespace

Config bench_config() {
  const u32 cpus = value_or_give_up(control::counter_rows());
  Config config = value_or_give_up(control::config_of({}, cpus));
  config.hash_key[0] = 0x3b1f6d4ca02795e8ULL;
  config.hash_key[1] = 0x9d62c8f3157e4ab0ULL;
  for (u32 i = 2; i < hash_key_words; ++i) config.hash_key[i] = config.hash_key[i - 2] * 0x9e3779b97f4a7c15ULL;
  return config;
}

AddressImage vip(Family family) {
  return family == Family::ipv4 ? ipv4(ipv4_word(vip_address)) : ipv6(0xffff, 0x01000000);
}

AddressImage foreign_address(Family family) {
  return family == Family::ipv4 ? ipv4(ipv4_word(0xcb007109U)) : ipv6(0xfff0, 0x09000000);  // 203.0.113.9
}

AddressImage server_address(u32 slot) { return ipv4(server_word(slot)); }
AddressImage local_address(u32 index) { return ipv4(local_word(index)); }

FlowKey key_of_flow(const FlowSet& set, u32 flow) {
  const u32 word = client_word(flow, set.client_shift);
  return {.client = set.family == Family::ipv4 ? ipv4(word) : ipv6(1, word),
          .vip = vip(set.family),
          .client_port = client_port(flow, set.client_shift),
          .vip_port = big(service_port),
          .protocol = set.protocol,
          .family = set.family,
          .role = Role::request};
}

void write_cluster(const Tables& tables, const Cluster& cluster, u32 ticks_per_second) {
  const bool translates = cluster.method == Method::nat || cluster.method == Method::fullnat;
  Settings& settings = *tables.settings;
  settings = control::initial_settings(ticks_per_second);
  settings.mark_rules = cluster.mark_rules;
  settings.translating_servers = translates ? cluster.servers : 0;
  settings.tunnel_servers = cluster.method == Method::tunnel ? cluster.servers : 0;
  tables.interfaces[loopback] = {.address = {0x02, 0, 0, 0, 0, 1}, .known = 1, .hook = Hook::native, .mtu = 1500};
  *tables.vip_filter = {};
  write_filter(*tables.vip_filter, cluster);
  write_servers(tables, cluster);
  write_schedule(tables, cluster);
  write_mark_rules(tables, cluster);
  write_local_pool(*tables.local_pool);
}

std::vector<Service> service_records(const Tables& tables, const Cluster& cluster) {
  std::vector<Service> records;
  Service record{};
  record.schedule = schedule_ref(cluster);
  record.id = 1;
  record.flags = cluster.persistent ? service_persistent : 0;
  record.persistence_ticks = persistence_s * tables.settings->ticks_per_second;
  record.netmask = ~0U;
  if (cluster.mark_rules != 0) {
    record.key = {.vip = {}, .port = {}, .protocol = 0, .family = Family::ipv4, .mark = fwmark};
    return {record};
  }
  for (const Family family : {Family::ipv4, Family::ipv6})
    for (const u8 protocol : {protocol_tcp, protocol_udp}) {
      record.key = {.vip = vip(family), .port = big(service_port), .protocol = protocol, .family = family, .mark = 0};
      records.push_back(record);
    }
  return records;
}

}  // namespace penstock::bench
