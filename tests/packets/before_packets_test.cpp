#include "tests/packets/before_packets.hpp"

#include <gtest/gtest.h>

#include <map>
#include <set>
#include <string>

#include "datapath/native/native_platform.hpp"
#include "tests/packets/mixed_director.hpp"

namespace penstock::packets {
namespace {

using Contents = std::map<std::string, Bytes>;

template <typename Row>
Bytes bytes_of(std::span<Row> rows) {
  const auto bytes = std::as_bytes(rows);
  Bytes copy(bytes.size());
  std::memcpy(copy.data(), bytes.data(), bytes.size());
  return copy;
}

template <typename Row>
Bytes bytes_of(const Row* row) {
  return bytes_of(std::span(row, 1));
}

// Takes the view apart so that a table which is new does not compile before it stands here.
Contents contents_of(const Tables& tables) {
  const auto& [config, connections, services, connection_tags, service_tags, servers, loads, counters, next_hops,
               schedules, interfaces, reasons, punted, vip_filter, settings, mark_rules, own_prefixes, local_pool,
               shared] = tables;
  return {{"config", bytes_of(&config)},
          {"connections", bytes_of(connections)},
          {"services", bytes_of(services)},
          {"connection tags", bytes_of(connection_tags)},
          {"service tags", bytes_of(service_tags)},
          {"servers", bytes_of(servers)},
          {"loads", bytes_of(loads)},
          {"counters", bytes_of(counters)},
          {"next hops", bytes_of(next_hops)},
          {"schedules", bytes_of(schedules)},
          {"interfaces", bytes_of(interfaces)},
          {"reasons", bytes_of(reasons)},
          {"punted", bytes_of(punted)},
          {"filter", bytes_of(vip_filter)},
          {"settings", bytes_of(settings)},
          {"marks", bytes_of(mark_rules)},
          {"own addresses", bytes_of(own_prefixes)},
          {"local addresses", bytes_of(local_pool)},
          {"shared", bytes_of(shared)}};
}

std::set<std::string> differences(const Contents& before, const Contents& after) {
  std::set<std::string> names;
  for (const auto& [name, bytes] : before)
    if (bytes != after.at(name)) names.insert(name);
  return names;
}

// A client's first packets, to all services.
std::vector<Bytes> first_packets(u16 client_port) {
  std::vector<Bytes> frames;
  for (const std::string vip : mixed::vips) {
    const Frame ends = eth(mixed::client_mac, mixed::director_mac);
    const bool v4 = family_of(vip) == Family::ipv4;
    const Frame packet = v4 ? ends.ipv4("198.51.100.7", vip) : ends.ipv6("2001:db8::7", vip);
    for (const u16 port : mixed::ports) {
      frames.push_back(packet.tcp(client_port, port, syn).bytes());
      frames.push_back(packet.udp(client_port, port).bytes());
    }
    if (v4) frames.push_back(ends.ipv4("198.51.100.7", vip, {.fragment_offset = 64}).udp(client_port, 53).bytes());
  }
  return frames;
}

TEST(BeforePackets, all_that_packets_change_is_put_back) {
  std::set<std::string> changed;
  for (u64 seed = 1; seed <= 10; ++seed) {
    NativeTables tables(MixedDirector::config());
    const MixedDirector director(tables.view(), seed);
    const BeforePackets before_packets(tables.view());
    const Contents before = contents_of(tables.view());
    for (u16 client_port = 40000; client_port < 40008; ++client_port)
      for (const Bytes& frame : first_packets(client_port)) (void)process(tables.view(), frame, 1000, mixed::link);
    changed.merge(differences(before, contents_of(tables.view())));
    before_packets.put_back();
    EXPECT_EQ(differences(before, contents_of(tables.view())), std::set<std::string>{}) << "seed " << seed;
  }
  const std::set<std::string> all{"connections", "connection tags", "loads",  "counters",
                                  "schedules",   "reasons",         "punted", "shared"};
  EXPECT_EQ(changed, all);
}

}  // namespace
}  // namespace penstock::packets
