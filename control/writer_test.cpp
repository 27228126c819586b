#include <algorithm>
#include <bit>
#include <cerrno>

#include "control/flip.hpp"
#include "control/images.hpp"
#include "control/writer_test_world.hpp"
#include "datapath/core/balance.hpp"
#include "datapath/native/native_platform.hpp"

namespace penstock::control {
namespace {

using std::chrono::milliseconds;

const model::ServiceKey web = tcp("192.0.2.1", 80);
const model::ServiceKey web6 = tcp("2001:db8::1", 80);

class writer : public testing::Test {
 protected:
  writer() { start(); }

  void start() {
    auto started = Writer::start({.tables = tables,
                                  .next_hops = hops,
                                  .clock = clock,
                                  .store = nullptr,
                                  .warn = [this](const std::string& line) { warnings.push_back(line); }});
    ASSERT_TRUE(started) << started.error().message;
    made = std::move(*started);
  }

  // A packet of 198.51.100.7:40000 to the service, and what the packet path finds for it.
  static bool find(NativePlatform& platform, const model::ServiceKey& key) {
    const ServiceKey image = image_of(key);
    Work& work = *platform.work();
    work.packet.key.client = image_of(at("198.51.100.7", 0).address);
    work.packet.key.client_port = big(u16{40000});
    work.packet.key.vip = image.vip;
    work.packet.key.vip_port = image.port;
    work.packet.key.protocol = image.protocol;
    work.packet.key.family = image.family;
    return find_service(platform, work);
  }

  // The service as the packet path finds it, by its own code; its schedule's picks without taking one.
  struct Seen {
    bool exists = false;
    Offer offer{};
    std::vector<u32> slots;
  };
  Seen see(const model::ServiceKey& key) {
    FrameBuffer nothing({});
    NativePlatform platform(tables, nothing, clock.ticks(), 1);
    Work& work = *platform.work();
    const bool found = find(platform, key);
    Seen seen{.exists = found && gate_of(platform, work.packet.key).to_us, .offer = {}, .slots = {}};
    if (!found) return seen;
    seen.offer = work.offer;
    for (u32 i = 0; i < seen.offer.schedule.size; ++i)
      seen.slots.push_back(static_cast<u32>(tables.schedules[seen.offer.schedule.offset + schedule_header_cells + i]));
    return seen;
  }

  bool is_virtual_address(const model::ServiceKey& key) {
    const u32 bit = vip_filter_bit(image_of(key.vip.address));
    return (tables.vip_filter->bits[bit / 64] >> (bit % 64) & 1) != 0;
  }

  // As the packet path picks: the last bytes of the servers' addresses.
  std::string pick(const model::ServiceKey& key, int times) {
    FrameBuffer nothing({});
    NativePlatform platform(tables, nothing, clock.ticks(), 1);
    std::string picked;
    for (int i = 0; i < times; ++i) {
      const u32 slot = find(platform, key) ? choose_server(platform, *platform.work()) : no_slot;
      if (slot == no_slot) return picked + "nobody";
      const u8* address = reinterpret_cast<const u8*>(&tables.servers[slot].address);
      picked += (i ? " " : "") + std::to_string(address[3]);
    }
    return picked;
  }

  u32 slot_of(const std::string& address) {
    for (u32 slot = 0; slot < tables.servers.size(); ++slot)
      if (endpoint_of(tables.servers[slot].address, tables.servers[slot].family, {}).address == at(address, 0).address)
        return slot;
    ADD_FAILURE() << address << " has no slot";
    return 0;
  }
  ServerRoute route_of(const std::string& address) { return read(tables.servers[slot_of(address)].route); }

  void with_three_servers(const std::string& scheduler = "rr") {
    ASSERT_TRUE(made->add_service(service(web, scheduler)));
    for (const char* address : {"10.0.0.1", "10.0.0.2", "10.0.0.3"})
      ASSERT_TRUE(made->add_server(web, server(address)));
  }

  HandClock clock;
  CountedHops hops;
  NativeTables owner{small_config()};
  Tables& tables = owner.view();
  std::vector<std::string> warnings;
  std::unique_ptr<Writer> made;
};

TEST_F(writer, a_service_is_there_at_once_and_without_servers_schedules_nobody) {
  EXPECT_FALSE(see(web).exists);
  ASSERT_TRUE(made->add_service(service(web)));
  EXPECT_TRUE(see(web).exists);
  EXPECT_EQ(see(web).offer.schedule.size, 0U);
  EXPECT_FALSE(see(tcp("192.0.2.1", 81)).exists);
  ASSERT_TRUE(made->add_service(service(web6)));
  EXPECT_TRUE(see(web6).exists);
}

TEST_F(writer, programs_servers_with_all_that_a_packet_needs) {
  with_three_servers();
  const u32 slot = slot_of("10.0.0.2");
  const RealServer& row = tables.servers[slot];
  EXPECT_EQ(row.route.next_hop, 2U);
  EXPECT_EQ(row.route.available, 1);
  EXPECT_EQ(row.route.method, Method::direct);
  EXPECT_EQ(host(row.port), 80);
  EXPECT_EQ(row.family, Family::ipv4);
  EXPECT_EQ(pick(web, 6), "3 2 1 3 2 1");
}

TEST_F(writer, continues_as_ipvs_does_over_changes) {
  with_three_servers();
  EXPECT_EQ(pick(web, 4), "3 2 1 3");
  ASSERT_TRUE(made->delete_server(web, at("10.0.0.2", 80)));
  EXPECT_EQ(pick(web, 5), "1 3 1 3 1");
  ASSERT_TRUE(made->add_server(web, server("10.0.0.4")));
  EXPECT_EQ(pick(web, 5), "4 3 1 4 3");
  ASSERT_TRUE(made->edit_server(web, server("10.0.0.1", 0)));
  EXPECT_EQ(pick(web, 5), "4 3 4 3 4");
  ASSERT_TRUE(made->add_server(web, server("10.0.0.2")));
  EXPECT_EQ(pick(web, 5), "3 2 4 3 2");
}

TEST_F(writer, another_scheduler_begins_anew_and_the_same_one_goes_on) {
  with_three_servers();
  EXPECT_EQ(pick(web, 1), "3");
  ASSERT_TRUE(made->edit_service(service(web)));
  EXPECT_EQ(pick(web, 1), "2");
  ASSERT_TRUE(made->edit_server(web, server("10.0.0.1", 2)));
  ASSERT_TRUE(made->edit_service(service(web, "wrr")));
  EXPECT_EQ(pick(web, 8), "1 3 2 1 1 3 2 1");
}

TEST_F(writer, a_removed_server_is_withdrawn_and_its_next_hop_released) {
  with_three_servers();
  const u16 generation = route_of("10.0.0.2").generation;
  ASSERT_TRUE(made->delete_server(web, at("10.0.0.2", 80)));
  EXPECT_EQ(route_of("10.0.0.2").available, 0);
  EXPECT_EQ(route_of("10.0.0.2").next_hop, no_next_hop);
  EXPECT_EQ(route_of("10.0.0.2").generation, generation) << "its connections are still its own";
  EXPECT_FALSE(hops.held.contains(at("10.0.0.2", 0).address));
  EXPECT_EQ(hops.held.size(), 2U);
}

TEST_F(writer, a_server_that_comes_back_revives_its_slot_with_counters_and_connections) {
  with_three_servers();
  const u32 slot = slot_of("10.0.0.2");
  const u16 generation = route_of("10.0.0.2").generation;
  tables.loads[slot].active = 5;
  tables.counters[slot].in_packets = 7;
  ASSERT_TRUE(made->delete_server(web, at("10.0.0.2", 80)));
  ASSERT_TRUE(made->add_server(web, server("10.0.0.2")));
  EXPECT_EQ(slot_of("10.0.0.2"), slot);
  EXPECT_EQ(route_of("10.0.0.2").generation, generation);
  EXPECT_EQ(route_of("10.0.0.2").available, 1);
  const auto view = made->service(web);
  EXPECT_EQ(view->servers[0].active, 5U);
  EXPECT_EQ(view->servers[0].statistics.in_packets, 7U);
  EXPECT_EQ(view->statistics.in_packets, 7U);
}

TEST_F(writer, a_slot_changes_hands_only_after_the_rest_and_with_a_new_generation) {
  with_three_servers();
  const u32 slot = slot_of("10.0.0.2");
  const u16 generation = route_of("10.0.0.2").generation;
  ASSERT_TRUE(made->delete_server(web, at("10.0.0.2", 80)));
  made->tick();
  clock.advance(retired_slot_rest);
  ASSERT_TRUE(made->add_server(web, server("10.0.0.8")));
  EXPECT_NE(slot_of("10.0.0.8"), slot) << "not yet noticed";
  made->tick();
  ASSERT_TRUE(made->add_server(web, server("10.0.0.9")));
  EXPECT_EQ(slot_of("10.0.0.9"), slot);
  EXPECT_NE(route_of("10.0.0.9").generation, generation);
}

TEST_F(writer, deleting_services_leaves_nothing_behind) {
  with_three_servers();
  ASSERT_TRUE(made->add_service(service(tcp("192.0.2.1", 81))));
  ASSERT_TRUE(made->delete_service(web));
  EXPECT_FALSE(see(web).exists);
  EXPECT_TRUE(see(tcp("192.0.2.1", 81)).exists) << "its VIP is still virtual";
  ASSERT_TRUE(made->delete_service(tcp("192.0.2.1", 81)));
  for (const u64 word : tables.vip_filter->bits) ASSERT_EQ(word, 0U);
  EXPECT_TRUE(hops.held.empty());
  EXPECT_EQ(route_of("10.0.0.1").available, 0);
  EXPECT_TRUE(made->services()->empty());
}

// IPVS: delete-service-nodest0-other, delete-service-nodest0-last.
TEST_F(writer, packets_for_a_removed_service_stay_ours_while_its_connections_may_live) {
  with_three_servers();
  const model::ServiceKey elsewhere = tcp("192.0.2.99", 80);
  ASSERT_TRUE(made->add_service(service(elsewhere)));
  ASSERT_TRUE(made->delete_service(web));
  EXPECT_TRUE(is_virtual_address(web)) << "its servers rest";
  ASSERT_TRUE(made->delete_service(elsewhere));
  EXPECT_FALSE(is_virtual_address(web)) << "the last service: everything is the kernel's";
  ASSERT_TRUE(made->add_service(service(elsewhere)));
  EXPECT_TRUE(is_virtual_address(web));
  made->tick();
  clock.advance(retired_slot_rest);
  made->tick();
  EXPECT_FALSE(is_virtual_address(web));
  EXPECT_TRUE(is_virtual_address(elsewhere));
}

TEST_F(writer, flush_takes_everything) {
  with_three_servers();
  ASSERT_TRUE(made->add_service(service(web6)));
  ASSERT_TRUE(made->flush());
  EXPECT_FALSE(see(web).exists);
  EXPECT_FALSE(see(web6).exists);
  EXPECT_TRUE(hops.held.empty());
  ASSERT_TRUE(made->flush()) << "of nothing is no error (IPVS)";
}

TEST_F(writer, a_service_made_anew_finds_its_servers_slots_and_counts_from_zero) {
  with_three_servers();
  const u32 slot = slot_of("10.0.0.2");
  tables.loads[slot].inactive = 3;
  tables.counters[slot].connections = 3;
  ASSERT_TRUE(made->flush());
  with_three_servers();
  EXPECT_EQ(slot_of("10.0.0.2"), slot);
  const auto view = *made->service(web);
  EXPECT_EQ(view.servers[1].inactive, 3U);
  EXPECT_EQ(view.servers[1].statistics.connections, 0U);
  EXPECT_EQ(view.statistics.connections, 0U);
  EXPECT_EQ(made->total_statistics().connections, 3U);
}

TEST_F(writer, the_errno_of_ipvs_comes_through) {
  EXPECT_EQ(made->delete_service(web).error().errno_value, ESRCH);
  EXPECT_EQ(made->delete_server(web, at("10.0.0.1", 80)).error().errno_value, ESRCH);
  EXPECT_EQ(made->zero(web).error().errno_value, ESRCH);
  EXPECT_EQ(made->service(web).error().errno_value, ESRCH);
  ASSERT_TRUE(made->add_service(service(web)));
  EXPECT_EQ(made->add_service(service(web)).error().errno_value, EEXIST);
  EXPECT_EQ(made->delete_server(web, at("10.0.0.1", 80)).error().errno_value, ENOENT);
  EXPECT_EQ(made->add_server(web, server("10.0.0.1", -1)).error().errno_value, ERANGE);
}

TEST_F(writer, without_a_next_hop_nothing_changes) {
  with_three_servers();
  hops.refuses = true;
  const auto refused = made->add_server(web, server("10.0.0.4"));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().message,
            "adding server 10.0.0.4:80 of service tcp 192.0.2.1:80: no row left for a next hop");
  EXPECT_EQ(made->service(web)->servers.size(), 3U);
  EXPECT_EQ(pick(web, 3), "3 2 1");
  hops.refuses = false;
  EXPECT_TRUE(made->add_server(web, server("10.0.0.4")));
}

TEST_F(writer, without_room_for_a_schedule_nothing_changes_and_the_next_hop_goes_back) {
  ASSERT_TRUE(made->add_service(service(web, "wrr")));
  ASSERT_TRUE(made->add_server(web, server("10.0.0.1", 60000)));
  ASSERT_TRUE(made->add_server(web, server("10.0.0.2", 1)));
  const auto refused = made->add_server(web, server("10.0.0.3", 1));
  ASSERT_FALSE(refused) << "the pool has 65536 cells";
  EXPECT_EQ(refused.error().errno_value, ENOMEM);
  EXPECT_FALSE(hops.held.contains(at("10.0.0.3", 0).address));
  EXPECT_EQ(see(web).offer.schedule.size, 60001U);
  ASSERT_TRUE(made->edit_server(web, server("10.0.0.1", 1)));
  EXPECT_EQ(see(web).offer.schedule.size, 2U);
  clock.advance(schedule_grace);
  EXPECT_TRUE(made->add_server(web, server("10.0.0.3", 60000))) << "after its grace the long one's room is free";
}

TEST_F(writer, a_full_service_table_refuses_one_more) {
  int accepted = 0;
  Result<void> last;
  for (std::uint16_t port = 1; port < 2000 && last; ++port) {
    last = made->add_service(service(tcp("192.0.2.7", port)));
    accepted += last ? 1 : 0;
  }
  ASSERT_FALSE(last);
  EXPECT_EQ(last.error().errno_value, ENOMEM);
  EXPECT_EQ(last.error().code, ErrorCode::exhausted);
  EXPECT_EQ(made->services()->size(), static_cast<std::size_t>(accepted));
  for (std::uint16_t port = 1; port <= accepted; ++port) ASSERT_TRUE(see(tcp("192.0.2.7", port)).exists) << port;
  ASSERT_TRUE(made->flush());
  EXPECT_TRUE(made->add_service(service(tcp("192.0.2.7", static_cast<std::uint16_t>(accepted + 1)))));
}

TEST_F(writer, a_cycle_that_is_too_long_is_scaled_and_said_once) {
  Config config = small_config();
  config.schedule_cells = 1U << 19;
  NativeTables large(config);
  auto roomy = *Writer::start({.tables = large.view(),
                               .next_hops = hops,
                               .clock = clock,
                               .store = nullptr,
                               .warn = [this](const std::string& line) { warnings.push_back(line); }});
  ASSERT_TRUE(roomy->add_service(service(web, "wrr")));
  ASSERT_TRUE(roomy->add_server(web, server("10.0.0.1", 70001)));
  EXPECT_TRUE(warnings.empty());
  ASSERT_TRUE(roomy->add_server(web, server("10.0.0.2", 70000)));
  ASSERT_TRUE(roomy->add_server(web, server("10.0.0.3", 1)));
  EXPECT_EQ(warnings.size(), 1U);
}

TEST_F(writer, rates_follow_the_ticks_and_zero_stops_them) {
  with_three_servers();
  tables.counters[slot_of("10.0.0.1")].in_packets = 1000;
  made->tick();
  EXPECT_EQ(made->service(web)->rates.in_packets, 125U) << "500 per second, a quarter of the way";
  EXPECT_EQ(made->service(web)->servers[2].rates.in_packets, 125U);
  EXPECT_EQ(made->total_rates().in_packets, 125U);
  ASSERT_TRUE(made->zero(web));
  EXPECT_EQ(made->service(web)->rates.in_packets, 0U);
  EXPECT_EQ(made->service(web)->statistics.in_packets, 0U);
  EXPECT_EQ(made->total_statistics().in_packets, 1000U);
  ASSERT_TRUE(made->zero(std::nullopt));
  EXPECT_EQ(made->total_statistics().in_packets, 0U);
}

TEST_F(writer, timeouts_are_those_of_ipvs_and_change_but_for_zeros) {
  const auto ticks = [&](TcpState state) {
    return machine_of(*tables.settings, Machine::tcp).timeout[static_cast<u32>(state)];
  };
  EXPECT_EQ(*made->timeouts(), (api::Timeouts{.tcp_s = 900, .tcp_fin_s = 120, .udp_s = 300}));
  EXPECT_EQ(ticks(TcpState::established), 90000U);
  EXPECT_EQ(ticks(TcpState::syn_recv), 6000U);
  ASSERT_TRUE(made->set_timeouts({.tcp_s = 0, .tcp_fin_s = 7, .udp_s = 8}));
  EXPECT_EQ(*made->timeouts(), (api::Timeouts{.tcp_s = 900, .tcp_fin_s = 7, .udp_s = 8}));
  EXPECT_EQ(ticks(TcpState::established), 90000U);
  EXPECT_EQ(ticks(TcpState::fin_wait), 700U);
  EXPECT_EQ(machine_of(*tables.settings, Machine::udp).timeout[0], 800U);
  EXPECT_TRUE(made->set_timeouts({.tcp_s = 21474836, .tcp_fin_s = 0, .udp_s = 0}));
  EXPECT_EQ(made->set_timeouts({.tcp_s = 21474837, .tcp_fin_s = 0, .udp_s = 0}).error().errno_value, EINVAL);
}

TEST_F(writer, names_the_reasons_and_sums_them_over_cpus) {
  Config config = small_config();
  config.cpus = 2;
  NativeTables two_cpus(config);
  const auto of_two =
      Writer::start({.tables = two_cpus.view(), .next_hops = hops, .clock = clock, .store = nullptr, .warn = {}});
  ASSERT_TRUE(of_two);
  two_cpus.view().reasons[0].packets[static_cast<u32>(Reason::ttl_exceeded)] = 1;
  two_cpus.view().reasons[1].packets[static_cast<u32>(Reason::ttl_exceeded)] = 2;
  const auto counters = *(*of_two)->reasons();
  ASSERT_EQ(counters.size(), reasons);
  EXPECT_EQ(counters[static_cast<u32>(Reason::ttl_exceeded)].name, "ttl_exceeded");
  EXPECT_EQ(counters[static_cast<u32>(Reason::ttl_exceeded)].packets, 3U);
  EXPECT_FALSE(counters[static_cast<u32>(Reason::bug)].is_remark);
  EXPECT_TRUE(counters[static_cast<u32>(Reason::stateless)].is_remark);
}

TEST_F(writer, shows_active_inactive_and_persistent_connections_of_a_server) {
  with_three_servers();
  ServerLoad& load = tables.loads[slot_of("10.0.0.3")];
  load.active = 3;
  load.inactive = 4;
  load.persistent = 5;
  const api::ServerView view = made->service(web)->servers.at(0);
  EXPECT_EQ(view.active, 3U);
  EXPECT_EQ(view.inactive, 4U);
  EXPECT_EQ(view.persistent, 5U);
}

TEST_F(writer, the_total_is_of_all_servers_and_has_rates) {
  with_three_servers();
  tables.counters[1] = {
      .connections = 800, .in_packets = 1600, .in_bytes = 3200, .out_packets = 2400, .out_bytes = 4000};
  tables.counters[2] = tables.counters[1];
  EXPECT_EQ(made->total_statistics(),
            (api::Statistics{
                .connections = 1600, .in_packets = 3200, .out_packets = 4800, .in_bytes = 6400, .out_bytes = 8000}));
  made->tick();
  EXPECT_EQ(
      made->total_rates(),
      (api::Rates{.connections = 200, .in_packets = 400, .out_packets = 600, .in_bytes = 800, .out_bytes = 1000}));
}

TEST_F(writer, info_says_what_ipvs_calls_the_size) {
  EXPECT_EQ(made->info()->connection_buckets, 4096U);
  EXPECT_EQ(made->info()->connections_max, 4096U * 8U);
}

TEST_F(writer, a_services_terms_are_what_the_packet_path_reads) {
  model::Service persistent = service(web, "sh");
  persistent.flags = model::service_flag::persistent;
  persistent.persistence_timeout_s = 10;
  persistent.netmask = 0xffff0000;
  ASSERT_TRUE(made->add_service(persistent));
  EXPECT_EQ(see(web).offer.flags, service_persistent);
  EXPECT_EQ(see(web).offer.persistence_ticks, 1000U);
  EXPECT_EQ(see(web).offer.netmask, 0x0000ffffU);
  persistent.flags = model::service_flag::one_packet;
  persistent.persistence_timeout_s = 0;
  ASSERT_TRUE(made->edit_service(persistent));
  EXPECT_EQ(see(web).offer.flags, service_one_packet);
  EXPECT_EQ(see(web).offer.persistence_ticks, 0U);
}

TEST_F(writer, services_of_all_ports_of_ftp_and_of_marks_are_found) {
  model::Service all_ports = service(tcp("192.0.2.2", 0));
  all_ports.flags = model::service_flag::persistent;
  all_ports.persistence_timeout_s = 10;
  ASSERT_TRUE(made->add_service(all_ports));
  EXPECT_TRUE(see(tcp("192.0.2.2", 8080)).exists);
  ASSERT_TRUE(made->add_service(service(tcp("192.0.2.3", 21))));
  EXPECT_TRUE(see(tcp("192.0.2.3", 20)).exists);
  EXPECT_FALSE(see(tcp("192.0.2.3", 80)).exists);
  model::ServiceKey marked;
  marked.fwmark = 5;
  marked.vip = at("0.0.0.0", 0);
  ASSERT_TRUE(made->add_service(service(marked)));
  ASSERT_TRUE(made->add_server(marked, server("10.0.0.7")));
  EXPECT_FALSE(see(tcp("203.0.113.9", 443)).exists);
  model::MarkRule rule;
  rule.destination = *model::parse_prefix("203.0.113.0/24");
  rule.mark = 5;
  ASSERT_TRUE(made->add_mark_rule(rule));
  EXPECT_TRUE(see(tcp("203.0.113.9", 443)).exists);
  EXPECT_EQ(pick(tcp("203.0.113.9", 443), 1), "7");
}

TEST_F(writer, least_schedulers_follow_loads_and_weights) {
  with_three_servers("wlc");
  tables.loads[slot_of("10.0.0.1")].active = 1;
  tables.loads[slot_of("10.0.0.3")].active = 1;
  EXPECT_EQ(pick(web, 2), "2 2");
  ASSERT_TRUE(made->edit_server(web, server("10.0.0.2", 0)));
  EXPECT_EQ(pick(web, 1), "3") << "of equal ones the newer";
  ASSERT_TRUE(made->edit_server(web, server("10.0.0.1", 2)));
  EXPECT_EQ(pick(web, 1), "1");
}

TEST_F(writer, ranked_schedulers_take_the_heaviest_that_takes_connections) {
  with_three_servers("fo");
  ASSERT_TRUE(made->edit_server(web, server("10.0.0.2", 9)));
  EXPECT_EQ(pick(web, 2), "2 2");
  ASSERT_TRUE(made->edit_server(web, server("10.0.0.2", 0)));
  EXPECT_EQ(pick(web, 1), "3");
}

TEST_F(writer, an_overloaded_server_gets_nothing_until_its_threshold_is_lifted) {
  with_three_servers();
  model::RealServer limited = server("10.0.0.2");
  limited.upper_threshold = 5;
  ASSERT_TRUE(made->edit_server(web, limited));
  tables.loads[slot_of("10.0.0.2")].overloaded = 1;
  EXPECT_EQ(pick(web, 4), "3 1 3 1");
  limited.upper_threshold = 0;
  ASSERT_TRUE(made->edit_server(web, limited));
  const std::string picked = pick(web, 3);
  EXPECT_NE(picked.find('2'), std::string::npos) << picked;
}

TEST_F(writer, flags_of_a_scheduler_count_from_the_edit_on) {
  with_three_servers("sh");
  const auto head = [&] {
    return std::bit_cast<ScheduleHead>(tables.schedules[see(web).offer.schedule.offset + schedule_head_cell]);
  };
  EXPECT_EQ(head().fallback, 0);
  model::Service with_flags = service(web, "sh");
  with_flags.flags = model::service_flag::sched_1 | model::service_flag::sched_2;
  ASSERT_TRUE(made->edit_service(with_flags));
  EXPECT_EQ(head().fallback, 1);
  EXPECT_EQ(head().with_port, 1);
  ASSERT_TRUE(made->edit_service(service(web, "sh")));
  EXPECT_EQ(head().fallback, 0);
  EXPECT_EQ(head().with_port, 0);
}

TEST_F(writer, flags_that_a_scheduler_does_not_know_do_not_disturb_it) {
  with_three_servers();
  EXPECT_EQ(pick(web, 1), "3");
  model::Service with_flags = service(web);
  with_flags.flags = model::service_flag::sched_1;
  ASSERT_TRUE(made->edit_service(with_flags));
  EXPECT_EQ(pick(web, 1), "2");
}

TEST_F(writer, a_server_that_comes_back_quiesced_has_no_last_weight) {
  with_three_servers("mh");
  ASSERT_TRUE(made->edit_server(web, server("10.0.0.2", 0)));
  EXPECT_GT(std::ranges::count(see(web).slots, slot_of("10.0.0.2")), 1000) << "its clients are not moved";
  ASSERT_TRUE(made->delete_server(web, at("10.0.0.2", 80)));
  ASSERT_TRUE(made->add_server(web, server("10.0.0.2", 0)));
  EXPECT_EQ(std::ranges::count(see(web).slots, slot_of("10.0.0.2")), 0);
}

// IPVS: expire_nodest_conn.
TEST_F(writer, connections_of_a_removed_server_end_at_once_if_so_set) {
  with_three_servers();
  const u32 slot = slot_of("10.0.0.2");
  Connection content{};
  content.key.protocol = 6;
  content.key.family = Family::ipv4;
  content.server = static_cast<u16>(slot);
  content.generation = route_of("10.0.0.2").generation;
  content.traits = static_cast<u8>(Method::direct);
  FrameBuffer nothing({});
  NativePlatform platform(tables, nothing, clock.ticks(), 1);
  const auto put = [&] {
    Insertion& insertion = platform.work()->insertion;
    prepare_insertion(insertion, content.key, hash_of(tables.config.hash_key, content.key), slot, content.generation);
    insertion.content = content;
    insertion.state = static_cast<u32>(TcpState::established);
    insertion.timeout = 90'000;
    save(platform, *platform.work());
  };
  put();
  ASSERT_TRUE(made->delete_server(web, at("10.0.0.2", 80)));
  EXPECT_EQ(tables.loads[slot].active, 1) << "it may come back";
  ASSERT_TRUE(made->add_server(web, server("10.0.0.2")));
  ASSERT_TRUE(made->set_setting("expire_nodest_conn", "1"));
  EXPECT_EQ(tables.loads[slot].active, 1);
  ASSERT_TRUE(made->delete_server(web, at("10.0.0.2", 80)));
  EXPECT_EQ(tables.loads[slot].active, 0);
}

TEST_F(writer, ports_of_nats_servers_are_known_while_the_servers_are) {
  ASSERT_TRUE(made->add_service(service(web)));
  model::RealServer translated = server("10.0.0.1");
  translated.method = model::Method::nat;
  const auto is_known = [&] {
    FrameBuffer nothing({});
    NativePlatform platform(tables, nothing, clock.ticks(), 1);
    const ServiceKey key{.vip = image_of(at("10.0.0.1", 0).address),
                         .port = big(u16{80}),
                         .protocol = 6,
                         .family = Family::ipv4,
                         .mark = mark_of_server};
    return find_offer(platform, key, platform.work()->offer);
  };
  EXPECT_FALSE(is_known());
  ASSERT_TRUE(made->add_server(web, translated));
  EXPECT_TRUE(is_known());
  translated.method = model::Method::direct;
  ASSERT_TRUE(made->edit_server(web, translated));
  EXPECT_FALSE(is_known());
  EXPECT_EQ(made->services()->size(), 1U);
}

TEST_F(writer, a_slot_is_taken_out_of_the_sets_of_lblcr_before_another_server_gets_it) {
  with_three_servers("lblcr");
  const u32 slot = slot_of("10.0.0.2");
  Connection& cache = tables.connections[5].records[2];
  cache.key.role = Role::cache;
  cache.detail = slot;
  cache.word = word_live | (clock.ticks() + 1'000'000);
  ASSERT_TRUE(made->delete_server(web, at("10.0.0.2", 80)));
  made->tick();
  EXPECT_EQ(cache.detail, slot) << "it may come back";
  clock.advance(retired_slot_rest);
  made->tick();
  EXPECT_EQ(cache.detail, 0U);
}

}  // namespace
}  // namespace penstock::control
