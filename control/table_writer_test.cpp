#include "control/table_writer.hpp"

#include "control/images.hpp"
#include "control/writer_test_world.hpp"
#include "datapath/core/table_insert.hpp"

namespace penstock::control {
namespace {

const model::ServiceKey web = tcp("192.0.2.1", 80);

class table_writer : public testing::Test {
 protected:
  NativeTables owner{small_config()};
  Tables& tables = owner.view();
};

TEST_F(table_writer, a_successor_finds_what_was_published) {
  TableWriter first(tables);
  first.execute({WriteSchedule{{.offset = 8, .size = 2}, {5, 6}}, PublishService{web, 77, {.offset = 8, .size = 2}}});
  tables.schedules[8] = 41;

  const TableWriter second(tables);
  const auto found = second.services();
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].key, web);
  EXPECT_EQ(found[0].id, 77U);
  EXPECT_EQ(second.picks_taken(found[0].schedule), 41U);
  EXPECT_TRUE(second.holds(found[0].schedule, {5, 6}));
  EXPECT_FALSE(second.holds(found[0].schedule, {5, 7}));
  EXPECT_FALSE(second.holds(found[0].schedule, {5}));
}

TEST_F(table_writer, publishing_again_only_moves_the_schedule) {
  TableWriter writer(tables);
  writer.execute({PublishService{web, 1, {}}});
  writer.execute({PublishService{web, 1, {.offset = 16, .size = 3}}});
  ASSERT_EQ(writer.services().size(), 1U);
  EXPECT_EQ(writer.services()[0].schedule.offset, 16U);
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
  writer.write_filter(before);
  writer.widen_filter(after);
  EXPECT_EQ(tables.vip_filter->bits[3], 0b0111U);
  EXPECT_EQ(tables.vip_filter->bits[1023], 1U);
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
  RealServer row{};
  row.route = {.next_hop = 4, .generation = 9, .method = Method::direct, .available = 1};
  row.address = image_of(at("10.0.0.4", 0).address);
  row.family = Family::ipv4;
  row.port = big(u16{80});
  writer.execute({WriteServer{2, row}, WithdrawServer{2}});
  const RealServer& left = tables.servers[2];
  EXPECT_EQ(left.route.next_hop, no_next_hop);
  EXPECT_EQ(left.route.available, 0);
  EXPECT_EQ(left.route.generation, 9);
  EXPECT_EQ(left.route.method, Method::direct);
  EXPECT_EQ(endpoint_of(left.address, left.family, left.port), at("10.0.0.4", 80));
}

}  // namespace
}  // namespace penstock::control
