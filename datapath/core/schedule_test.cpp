// Picking a real server, by each kind of schedule. Servers are named by their place: "123" is the first, the second, the third.
#include "datapath/core/schedule.hpp"

#include <gtest/gtest.h>

#include <map>

#include "tests/packets/world.hpp"

namespace penstock {
namespace {

using namespace packets;

constexpr u16 web = 80;

// Servers 1, 2, 3, ... of given weights, in a service of a given schedule.
struct Scheduled : World {
  explicit Scheduled(const std::vector<s32>& weights, const ScheduleHead& head = {}, std::vector<u32> picks = {}) {
    for (u32 i = 0; i < weights.size(); ++i) slots.push_back(add_rs(i + 1, Method::direct, {.weight = weights[i]}));
    if (picks.empty())
      for (u32 i = 0; i < weights.size(); ++i) picks.push_back(i + 1);
    for (u32& pick : picks) pick = pick == 0 ? no_slot : slots[pick - 1];
    director.add_service({vip, web, 6}, picks, {.head = head});
    director.add_service({vip6, web, 6}, picks, {.head = head});
  }

  // The server of a packet, by its MAC address; '-': refused.
  char server_of(const PacketResult& result) const {
    return result.interface == inner_link ? static_cast<char>('0' + result.frame.at(5)) : '-';
  }
  char connect() { return server_of(send(in4().tcp(next_port++, web, syn))); }
  std::string connect(u32 count) {
    std::string servers;
    for (u32 i = 0; i < count; ++i) servers += connect();
    return servers;
  }
  ServerLoad& load_of(u32 number) { return director.load(slots[number - 1]); }
  u64 cursor() { return tables().schedules[director.find_service({vip, web, 6}).schedule.offset]; }

  std::vector<u32> slots;
  u16 next_port = 1001;
};

TEST(ScheduleSequence, goes_round) {
  Scheduled world({1, 1, 1});
  EXPECT_EQ(world.connect(7), "1231231");
  EXPECT_EQ(world.cursor(), 7U);
}

TEST(ScheduleSequence, follows_the_picks_by_weight) {
  Scheduled world({2, 1}, {}, {1, 1, 2});
  EXPECT_EQ(world.connect(7), "1121121");
}

TEST(ScheduleSequence, skips_who_takes_nothing_and_the_cursor_goes_along) {
  Scheduled world({1, 1, 1, 1});
  world.load_of(2).overloaded = 1;
  world.load_of(3).weight = 0;
  EXPECT_EQ(world.connect(4), "1414");
  world.load_of(2).overloaded = 0;
  EXPECT_EQ(world.connect(2), "12");
  EXPECT_EQ(world.cursor(), 10U);
}

TEST(ScheduleSequence, when_nobody_takes_connections_the_client_is_refused) {
  Scheduled world({1, 1});
  world.load_of(1).weight = 0;
  world.load_of(2).overloaded = 1;
  EXPECT_EQ(world.connect(2), "--");
  world.expect_order();
  EXPECT_EQ(world.counted(Reason::no_destination), 2U);
}

TEST(ScheduleSequence, thresholds_turn_connections_away_until_some_have_ended) {
  Scheduled world({1, 1});
  world.load_of(1).upper_threshold = 3;
  world.load_of(1).lower_threshold = 2;
  EXPECT_EQ(world.connect(9), "121212222");
  world.pass_seconds(61);
  // Expired, but nobody has swept: the first that goes makes room for one more only when two have ended.
  EXPECT_EQ(world.load_of(1).overloaded, 1U);
}

TEST(ScheduleSequence, of_a_single_server) {
  Scheduled world({1});
  EXPECT_EQ(world.connect(3), "111");
}

TEST(ScheduleRanked, the_first_that_takes_connections) {
  Scheduled world({1, 3, 2}, {.kind = SchedulerKind::ranked}, {2, 3, 1});
  EXPECT_EQ(world.connect(3), "222");
  world.load_of(2).overloaded = 1;
  EXPECT_EQ(world.connect(2), "33");
  world.load_of(3).weight = 0;
  EXPECT_EQ(world.connect(2), "11");
}

// IPVS, ovf, as recorded: weights 3, 1, 2 take four, two and three connections.
TEST(ScheduleRanked, with_overflow_a_server_takes_one_more_than_its_weight) {
  Scheduled world({3, 1, 2}, {.kind = SchedulerKind::ranked, .overflow = 1}, {1, 3, 2});
  EXPECT_EQ(world.connect(11), "111133322--");
}

ScheduleHead least(Overhead overhead) { return {.kind = SchedulerKind::least, .overhead = overhead}; }

TEST(ScheduleLeast, lc_counts_active_connections_256_times) {
  Scheduled world({1, 9}, least(Overhead::connections));
  EXPECT_EQ(world.connect(4), "1212");
  world.load_of(1).active = 1;
  world.load_of(1).inactive = 0;
  world.load_of(2).active = 0;
  world.load_of(2).inactive = 255;
  EXPECT_EQ(world.connect(), '2');
  world.load_of(2).active = 0;
  world.load_of(2).inactive = 257;
  EXPECT_EQ(world.connect(), '1');
}

TEST(ScheduleLeast, of_equals_the_earlier_one) {
  Scheduled world({1, 1, 1}, least(Overhead::weighted_connections), {3, 1, 2});
  EXPECT_EQ(world.connect(6), "312312");
}

TEST(ScheduleLeast, wlc_by_weight) {
  Scheduled world({3, 1}, least(Overhead::weighted_connections));
  const std::string servers = world.connect(8);
  EXPECT_EQ(std::ranges::count(servers, '1'), 6);
}

// IPVS as recorded: 18 connections on 3:1:2, list 13 12 11.
TEST(ScheduleLeast, sed_as_ipvs) {
  Scheduled world({3, 1, 2}, least(Overhead::shortest_delay), {3, 2, 1});
  EXPECT_EQ(world.connect(18), "131321131321131321");
}

TEST(ScheduleLeast, nq_as_ipvs) {
  Scheduled world({3, 1, 2}, least(Overhead::never_queue), {3, 2, 1});
  EXPECT_EQ(world.connect(12), "321131131321");
}

TEST(ScheduleLeast, passes_over_who_takes_nothing) {
  for (const Overhead overhead :
       {Overhead::connections, Overhead::weighted_connections, Overhead::shortest_delay, Overhead::never_queue}) {
    Scheduled world({5, 5, 5}, least(overhead));
    world.load_of(1).weight = 0;
    world.load_of(2).overloaded = 1;
    EXPECT_EQ(world.connect(3), "333");
    world.load_of(3).weight = 0;
    EXPECT_EQ(world.connect(), '-');
  }
}

TEST(ScheduleLeast, does_not_overflow_with_large_weights_and_loads) {
  Scheduled world({65535, 1}, least(Overhead::weighted_connections));
  world.load_of(1).active = 0x7fffff00;
  world.load_of(2).active = 0x7fffff00;
  EXPECT_EQ(world.connect(), '1');
}

TEST(ScheduleTwos, the_less_loaded_of_two_draws_by_weight) {
  Scheduled world({1, 1, 2}, {.kind = SchedulerKind::twos});
  std::map<char, u32> counts;
  for (const char server : world.connect(400)) ++counts[server];
  EXPECT_EQ(counts.count('-'), 0U);
  EXPECT_NEAR(counts['1'], 100, 40);
  EXPECT_NEAR(counts['2'], 100, 40);
  EXPECT_NEAR(counts['3'], 200, 40);
}

TEST(ScheduleTwos, passes_over_who_takes_nothing) {
  Scheduled world({1, 1, 1}, {.kind = SchedulerKind::twos});
  world.load_of(1).weight = 0;
  world.load_of(2).overloaded = 1;
  EXPECT_EQ(world.connect(20), std::string(20, '3'));
  world.load_of(3).weight = 0;
  EXPECT_EQ(world.connect(2), "--");
}

// The bucket of an IPv4 address: the kernel's hash_32 of it, written out once more.
u32 bucket_of(const std::string& address, u32 port = 0) {
  const Bytes bytes = address_bytes(address);
  const u32 number = static_cast<u32>(bytes[0] << 24 | bytes[1] << 16 | bytes[2] << 8 | bytes[3]);
  return (number + port) * 0x61c88647U >> 24;
}

// 256 slots, all of server 1 but for one.
std::vector<u32> table_with(u32 bucket, u32 server) {
  std::vector<u32> picks(256, 1);
  picks[bucket] = server;
  return picks;
}

TEST(ScheduleHashed, dh_by_the_destination) {
  Scheduled world({1, 1}, {.kind = SchedulerKind::destination_hash}, table_with(bucket_of(vip), 2));
  EXPECT_EQ(world.connect(3), "222");
  world.load_of(2).overloaded = 1;
  EXPECT_EQ(world.connect(), '-') << "no other server may have it";
}

TEST(ScheduleHashed, sh_by_the_source) {
  EXPECT_EQ(bucket_of("10.0.1.1"), 240U);  // as measured
  Scheduled world({1, 1}, {.kind = SchedulerKind::source_hash}, table_with(bucket_of(client), 2));
  EXPECT_EQ(world.connect(3), "222");
  const auto other = [&](const std::string& address) {
    return world.server_of(world.send(from_client().ipv4(address, vip).tcp(1, web, syn)));
  };
  EXPECT_EQ(other("198.51.100.8"), bucket_of("198.51.100.8") == bucket_of(client) ? '2' : '1');
}

TEST(ScheduleHashed, sh_port_takes_the_clients_port_into_the_hash) {
  const ScheduleHead head{.kind = SchedulerKind::source_hash, .with_port = 1};
  Scheduled world({1, 1}, head, table_with(bucket_of(client, 1001), 2));
  EXPECT_EQ(world.connect(), '2');
  u32 others = 0;
  for (u16 port = 1002; port < 1102; ++port) {
    const char expected = bucket_of(client, port) == bucket_of(client, 1001) ? '2' : '1';
    EXPECT_EQ(world.server_of(world.send(in4().tcp(port, web, syn))), expected) << port;
    others += expected == '1' ? 1 : 0;
  }
  EXPECT_GT(others, 50U);
}

TEST(ScheduleHashed, sh_without_fallback_refuses_with_fallback_looks_on) {
  for (const u8 fallback : {u8{0}, u8{1}}) {
    const ScheduleHead head{.kind = SchedulerKind::source_hash, .fallback = fallback};
    Scheduled world({1, 1}, head, table_with(bucket_of(client), 2));
    world.load_of(2).weight = 0;
    EXPECT_EQ(world.connect(), fallback ? '1' : '-');
  }
}

// IPVS: bucket = hash((start + k) % 256), so with one server left every offset may be needed.
TEST(ScheduleHashed, fallback_looks_through_the_whole_table) {
  for (const SchedulerKind kind : {SchedulerKind::source_hash, SchedulerKind::maglev}) {
    u32 found = 0;
    for (u32 slot = 0; slot < 251; ++slot) {
      std::vector<u32> picks(kind == SchedulerKind::maglev ? 251 : 256, 1);
      picks[slot] = 2;
      Scheduled world({0, 1}, {.kind = kind, .fallback = 1}, picks);
      found += world.connect() == '2' ? 1 : 0;
    }
    // mh's offsets are hashed, and need not reach every entry.
    EXPECT_GE(found, kind == SchedulerKind::maglev ? 100U : 251U);
  }
}

TEST(ScheduleHashed, an_entry_of_nobody_is_passed_over) {
  Scheduled world({1}, {.kind = SchedulerKind::source_hash}, table_with(bucket_of(client), 0));
  EXPECT_EQ(world.connect(), '-');
}

TEST(ScheduleHashed, mh_sends_one_source_to_one_server_and_many_to_all) {
  std::vector<u32> picks;
  for (u32 i = 0; i < 251; ++i) picks.push_back(1 + i % 3);
  for (const u8 with_port : {u8{0}, u8{1}}) {
    Scheduled world({1, 1, 1}, {.kind = SchedulerKind::maglev, .with_port = with_port}, picks);
    std::map<char, u32> by_port;
    for (const char server : world.connect(90)) ++by_port[server];
    EXPECT_EQ(by_port.size(), with_port ? 3U : 1U);
    std::map<char, u32> by_source;
    for (u32 i = 1; i < 200; ++i) {
      const std::string source = "198.51.101." + std::to_string(i);
      ++by_source[world.server_of(world.send(from_client().ipv4(source, vip).tcp(1, web, syn)))];
    }
    EXPECT_EQ(by_source.size(), 3U);
  }
}

const ScheduleHead lblc{.kind = SchedulerKind::lblc, .overhead = Overhead::weighted_connections};
const ScheduleHead lblcr{.kind = SchedulerKind::lblcr, .overhead = Overhead::weighted_connections};

TEST(ScheduleLocality, a_destination_stays_with_its_server) {
  for (const ScheduleHead& head : {lblc, lblcr}) {
    Scheduled world({10, 10}, head);
    EXPECT_EQ(world.connect(5), "11111");
    EXPECT_EQ(world.records(Role::cache), 1U);
    world.expect_order();
  }
}

TEST(ScheduleLocality, moves_away_from_a_busy_server_when_another_is_at_leisure) {
  for (const ScheduleHead& head : {lblc, lblcr}) {
    Scheduled world({2, 2}, head);
    EXPECT_EQ(world.connect(5), "11122");
    world.expect_order();
  }
}

TEST(ScheduleLocality, lblc_leaves_a_quiesced_or_removed_server) {
  Scheduled world({10, 10}, lblc);
  EXPECT_EQ(world.connect(2), "11");
  world.load_of(1).weight = 0;
  EXPECT_EQ(world.connect(2), "22");
  world.load_of(1).weight = 10;
  EXPECT_EQ(world.connect(2), "22") << "and stays there";
  world.director.server(world.slots[1]).route.available = 0;
  world.director.reschedule({vip, web, 6}, {world.slots[0]}, lblc);
  EXPECT_EQ(world.connect(), '1');
}

TEST(ScheduleLocality, what_is_remembered_expires) {
  Scheduled world({10, 10}, lblc);
  world.settings().lblc_expiration = 1000 * hz;
  EXPECT_EQ(world.connect(), '1');
  world.load_of(1).active = 9;
  world.now += 1000 * hz - 1;
  EXPECT_EQ(world.connect(), '1');
  world.now += 1000 * hz;
  EXPECT_EQ(world.connect(), '2');
}

TEST(ScheduleLocality, lblcr_serves_a_destination_by_a_set_and_drops_the_busiest_in_time) {
  Scheduled world({2, 2, 2}, lblcr);
  world.settings().lblcr_expiration = 100 * hz;
  EXPECT_EQ(world.connect(5), "11122");
  // Both are members now; the less loaded serves.
  world.load_of(1).active = 0;
  world.load_of(2).active = 2;
  EXPECT_EQ(world.connect(), '1');
  for (u32 i = 0; i < 2; ++i) {
    world.load_of(1).active = 1;
    world.load_of(2).active = 2;
    world.pass_seconds(51);
    EXPECT_EQ(world.connect(), '1');
  }
  world.load_of(1).active = 2;
  world.load_of(2).active = 0;
  EXPECT_EQ(world.connect(), '1') << "the second was dropped from the set";
}

// The kernel's set has no bound, ours holds four: the work goes on to whoever has least, all the same.
TEST(ScheduleLocality, a_fifth_server_takes_the_place_of_the_first_in_a_set) {
  Scheduled world({1, 1, 1, 1, 1}, lblcr);
  EXPECT_EQ(world.connect(8), "11223344");
  EXPECT_EQ(world.counted(Reason::lblcr_set_full), 0U);
  EXPECT_EQ(world.connect(2), "55");
  EXPECT_EQ(world.counted(Reason::lblcr_set_full), 1U);
  world.load_of(1).active = 0;
  EXPECT_EQ(world.connect(), '1') << "not of the set, but at leisure";
  EXPECT_EQ(world.counted(Reason::lblcr_set_full), 2U);
  EXPECT_EQ(world.records(Role::cache), 1U);
  world.load_of(2).active = 0;
  EXPECT_EQ(world.connect(), '1') << "the second has left the set, and the first is not too busy";
}

TEST(ScheduleLocality, services_do_not_share_what_they_remember) {
  Scheduled world({10, 10}, lblc);
  world.director.add_service({vip, 81, 6}, {world.slots[1]}, {.head = lblc, .id = 7});
  EXPECT_EQ(world.connect(), '1');
  EXPECT_EQ(world.server_of(world.send(in4().tcp(1, 81, syn))), '2');
  EXPECT_EQ(world.records(Role::cache), 2U);
}

TEST(ScheduleOnePacket, every_packet_is_scheduled_and_nothing_remembered) {
  Scheduled world({1, 1});
  world.director.add_service({vip, 53, 17}, world.slots, {.flags = service_one_packet});
  std::string servers;
  for (u32 i = 0; i < 4; ++i) servers += world.server_of(world.send(in4().udp(1, 53)));
  EXPECT_EQ(servers, "1212");
  EXPECT_EQ(live_records(world.tables(), world.now).size(), 0U);
  EXPECT_EQ(world.tables().counters[world.slots[0]].connections, 2U);
  EXPECT_EQ(world.load_of(1).inactive, 0);
}

TEST(ScheduleOnePacket, is_for_udp_only) {
  Scheduled world({1, 1});
  world.director.find_service({vip, web, 6}).flags = service_one_packet;
  (void)world.connect();
  EXPECT_EQ(world.records(Role::request), 1U);
}

}  // namespace
}  // namespace penstock
