#include "control/table_writer.hpp"

#include <bit>

#include "control/flip.hpp"
#include "control/images.hpp"
#include "control/writer_test_world.hpp"
#include "datapath/core/hash.hpp"
#include "datapath/core/table_insert.hpp"

namespace penstock::control {
namespace {

const model::ServiceKey web = tcp("192.0.2.1", 80);

constexpr ScheduleHead sequence{};
constexpr ScheduleHead nq{.kind = SchedulerKind::least,
                          .overhead = Overhead::never_queue,
                          .overflow = 0,
                          .fallback = 0,
                          .with_port = 0,
                          .zero = {}};

class table_writer : public testing::Test {
 protected:
  static RealServer row(const std::string& address) {
    RealServer made{};
    made.route = {.next_hop = 4, .generation = 9, .method = Method::direct, .available = 1};
    made.address = image_of(at(address, 0).address);
    made.family = Family::ipv4;
    made.port = big(u16{80});
    return made;
  }

  NativeTables owner{small_config()};
  Tables& tables = owner.view();
};

TEST_F(table_writer, a_successor_finds_what_was_published) {
  TableWriter first(tables);
  const ServiceTerms terms{.flags = service_persistent, .persistence_ticks = 300, .netmask = 0xffff};
  first.execute(
      {WriteSchedule{{.offset = 8, .size = 2}, nq, {5, 6}}, PublishService{web, 77, terms, {.offset = 8, .size = 2}}});
  tables.schedules[8] = 41;

  const TableWriter second(tables);
  const auto found = second.services();
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].key, web);
  EXPECT_EQ(found[0].id, 77U);
  EXPECT_EQ(second.picks_taken(found[0].schedule), 41U);
  EXPECT_EQ(found[0].terms, terms);
  EXPECT_TRUE(second.holds(found[0].schedule, nq, {5, 6}));
  EXPECT_FALSE(second.holds(found[0].schedule, nq, {5, 7}));
  EXPECT_FALSE(second.holds(found[0].schedule, nq, {5}));
  EXPECT_FALSE(second.holds(found[0].schedule, sequence, {5, 6})) << "read in another way";
}

TEST_F(table_writer, publishing_again_changes_the_record_that_is_there) {
  TableWriter writer(tables);
  writer.execute({PublishService{web, 1, {}, {}}});
  writer.execute({PublishService{web, 1, {.flags = service_one_packet}, {.offset = 16, .size = 3}}});
  ASSERT_EQ(writer.services().size(), 1U);
  EXPECT_EQ(writer.services()[0].schedule.offset, 16U);
  EXPECT_EQ(writer.services()[0].terms, ServiceTerms{.flags = service_one_packet});
  writer.execute({RemoveService{web}});
  EXPECT_TRUE(writer.services().empty());
}

TEST_F(table_writer, widens_the_filter_and_then_makes_it_exact) {
  TableWriter writer(tables);
  VipFilter before{};
  before.bits[3] = 0b0110;
  VipFilter after{};
  after.bits[3] = 0b0011;
  after.bits[1023] = 1;
  after.servers[7] = 2;
  after.marked[1][1023] = 4;
  writer.write_filter(before);
  writer.widen_filter(after);
  EXPECT_EQ(tables.vip_filter->bits[3], 0b0111U);
  EXPECT_EQ(tables.vip_filter->bits[1023], 1U);
  EXPECT_EQ(tables.vip_filter->servers[7], 2U);
  EXPECT_EQ(tables.vip_filter->marked[1][1023], 4U);
  writer.write_filter(after);
  EXPECT_EQ(tables.vip_filter->bits[3], 0b0011U);
}

TEST_F(table_writer, heals_what_a_dead_daemon_left_half_done) {
  Service& half_made = tables.services[3].records[2];
  half_made.word = word_claimed | 12345;
  const TableWriter writer(tables);
  EXPECT_EQ(half_made.word, 0U);
}

TEST_F(table_writer, a_server_keeps_address_and_generation_when_withdrawn) {
  TableWriter writer(tables);
  writer.execute({WriteServer{2, row("10.0.0.4"), {.weight = 1}}, WithdrawServer{2}});
  const RealServer& left = tables.servers[2];
  EXPECT_EQ(left.route.next_hop, no_next_hop);
  EXPECT_EQ(left.route.available, 0);
  EXPECT_EQ(left.route.generation, 9);
  EXPECT_EQ(left.route.method, Method::direct);
  EXPECT_EQ(endpoint_of(left.address, left.family, left.port), at("10.0.0.4", 80));
}

TEST_F(table_writer, a_schedule_is_its_head_and_its_slots_and_its_cursor_begins_anew) {
  for (u64& cell : tables.schedules) cell = ~u64{0};
  TableWriter(tables).execute({WriteSchedule{{.offset = 16, .size = 3}, nq, {7, 8, 7}}});
  EXPECT_EQ(tables.schedules[16], 0U);
  EXPECT_EQ(std::bit_cast<ScheduleHead>(tables.schedules[17]).overhead, Overhead::never_queue);
  for (u32 i = 2; i < schedule_header_cells; ++i) EXPECT_EQ(tables.schedules[16 + i], 0U);
  EXPECT_EQ(tables.schedules[24], 7U);
  EXPECT_EQ(tables.schedules[25], 8U);
  EXPECT_EQ(tables.schedules[26], 7U);
  EXPECT_EQ(tables.schedules[15], ~u64{0});
  EXPECT_EQ(tables.schedules[27], ~u64{0});
}

TEST_F(table_writer, connections_that_bypass_all_servers_find_slot_0_alive) {
  const TableWriter writer(tables);
  const ServerRoute route = read(tables.servers[server_of_none].route);
  EXPECT_EQ(route.method, Method::bypass);
  EXPECT_EQ(route.available, 1);
  EXPECT_EQ(route.generation, 0);
  EXPECT_GT(tables.loads[server_of_none].weight, 0);
}

TEST_F(table_writer, a_servers_terms_stand_beside_its_load) {
  TableWriter writer(tables);
  ServerLoad& load = tables.loads[2];
  load.active = 3;
  writer.execute(
      {WriteServer{2, row("10.0.0.4"), {.weight = 7, .last_weight = 7, .upper_threshold = 9, .lower_threshold = 4}}});
  EXPECT_EQ(load.weight, 7);
  EXPECT_EQ(load.upper_threshold, 9U);
  EXPECT_EQ(load.lower_threshold, 4U);
  EXPECT_EQ(load.active, 3);
}

// IPVS (6.1): __ip_vs_update_dest.
TEST_F(table_writer, a_threshold_that_is_raised_or_lifted_ends_the_overload_a_lower_one_does_not) {
  TableWriter writer(tables);
  const auto overloaded_after = [&](u32 upper) {
    writer.execute({WriteServer{2, row("10.0.0.4"), {.weight = 1, .upper_threshold = 10}}});
    tables.loads[2].overloaded = 1;
    writer.execute({WriteServer{2, row("10.0.0.4"), {.weight = 1, .upper_threshold = upper}}});
    return tables.loads[2].overloaded != 0;
  };
  EXPECT_FALSE(overloaded_after(0));
  EXPECT_FALSE(overloaded_after(11));
  EXPECT_TRUE(overloaded_after(10));
  EXPECT_TRUE(overloaded_after(9));
}

TEST_F(table_writer, what_was_learnt_of_the_way_to_a_slots_former_server_is_forgotten) {
  TableWriter writer(tables);
  writer.execute({WriteServer{2, row("10.0.0.4"), {.weight = 1}}});
  tables.loads[2].path_mtu = 1400;
  writer.execute({WriteServer{2, row("10.0.0.4"), {.weight = 2}}});
  EXPECT_EQ(tables.loads[2].path_mtu, 1400U) << "the same server";
  RealServer next = row("10.0.0.5");
  next.route.generation = 10;
  writer.execute({WriteServer{2, next, {.weight = 1}}});
  EXPECT_EQ(tables.loads[2].path_mtu, 0U);
}

ServiceKey server_port(const std::string& address, u16 port) {
  const model::Endpoint server = at(address, port);
  return {.vip = image_of(server.address),
          .port = big(port),
          .protocol = static_cast<u8>(model::Protocol::tcp),
          .family = Family::ipv4,
          .mark = mark_of_server};
}

TEST_F(table_writer, server_ports_are_exactly_those_that_were_asked_for_and_no_services) {
  TableWriter writer(tables);
  const auto holds = [&](const ServiceKey& key) {
    const Place place = place_of(hash_of(tables.config.hash_key, key), tables.config.service_buckets);
    return find_record<Service>(tables.service_table(), place, key, 0, Guess::absent).record != nullptr;
  };
  const ServiceKey first = server_port("10.0.0.1", 80);
  const ServiceKey second = server_port("10.0.0.2", 80);
  const ServiceKey third = server_port("10.0.0.2", 81);
  writer.execute({PublishService{web, 1, {}, {}}});
  writer.write_server_ports({first, second, second});
  EXPECT_TRUE(holds(first) && holds(second));
  EXPECT_EQ(writer.services().size(), 1U) << "the service alone";
  writer.write_server_ports({second, third});
  EXPECT_FALSE(holds(first));
  EXPECT_TRUE(holds(second) && holds(third));
  writer.write_server_ports({});
  EXPECT_FALSE(holds(second) || holds(third));
  EXPECT_EQ(writer.services().size(), 1U);
}

TEST_F(table_writer, the_service_of_mark_1_is_no_servers_port) {
  TableWriter writer(tables);
  model::ServiceKey marked;
  marked.fwmark = mark_of_server;
  marked.vip = at("0.0.0.0", 0);
  writer.execute({PublishService{marked, 5, {}, {}}});
  writer.write_server_ports({});
  ASSERT_EQ(writer.services().size(), 1U);
  EXPECT_EQ(writer.services()[0].key, marked);
}

TEST_F(table_writer, server_ports_that_find_no_place_are_left_out_and_services_stay) {
  TableWriter writer(tables);
  writer.execute({PublishService{web, 1, {}, {}}});
  std::vector<ServiceKey> keys;
  for (u16 port = 1; port <= 1000; ++port) keys.push_back(server_port("10.0.0.1", port));
  writer.write_server_ports(keys);
  EXPECT_EQ(writer.services().size(), 1U);
  writer.write_server_ports({});
  EXPECT_TRUE(writer.has_room_for(tcp("192.0.2.1", 81)));
}

}  // namespace
}  // namespace penstock::control
