#include "control/sweeper.hpp"

#include "control/connection_list.hpp"
#include "control/images.hpp"
#include "control/settings.hpp"
#include "control/writer_test_world.hpp"
#include "datapath/core/connection.hpp"

namespace penstock::control {
namespace {

using std::chrono::milliseconds;

// Tables with connections in them, put there as the packet path puts them.
class connections : public testing::Test {
 protected:
  connections() {
    *tables.settings = initial_settings(clock.ticks_per_second());
    for (u32 slot = 0; slot < 4; ++slot) {
      RealServer& row = tables.servers[slot];
      row.address = image_of(at("10.0.0." + std::to_string(slot), 0).address);
      row.port = big(u16{80});
      row.family = Family::ipv4;
    }
  }

  void add(std::uint16_t client_port, TcpState state, u32 seconds, u32 slot = 1,
           model::Protocol protocol = model::Protocol::tcp, bool half_open = false) {
    Connection content{};
    content.key.client = image_of(at("198.51.100.7", 0).address);
    content.key.vip = image_of(at("192.0.2.1", 0).address);
    content.key.client_port = big(client_port);
    content.key.vip_port = big(u16{80});
    content.key.protocol = static_cast<u8>(protocol);
    content.key.family = Family::ipv4;
    content.server = slot;
    const TableView<Connection> table = half_open ? tables.half_open_table() : tables.established_table();
    const Place place = place_of(hash_of(tables.config.hash_key, content.key), static_cast<u32>(table.buckets.size()));
    const auto inserted = insert_record(table, place, content, static_cast<u32>(state), clock.ticks() + seconds * 100,
                                        clock.ticks(), WhenFull::refuse, [](const Connection&, u64) {});
    ASSERT_TRUE(inserted.stored);
    ServerLoad& load = tables.loads[slot];
    (is_active(content.key, static_cast<u32>(state)) ? load.active : load.inactive) += 1;
  }

  std::vector<api::ConnectionView> list() {
    std::vector<api::ConnectionView> views;
    list_connections(tables, clock.ticks(), [&](const api::ConnectionView& view) { views.push_back(view); });
    return views;
  }

  HandClock clock;
  NativeTables owner{small_config()};
  Tables& tables = owner.view();
};

using connection_list = connections;
using sweeper = connections;

TEST_F(connection_list, says_what_ipvs_says) {
  add(40000, TcpState::established, 900);
  clock.advance(milliseconds(10));
  const auto views = list();
  ASSERT_EQ(views.size(), 1U);
  EXPECT_EQ(views[0].protocol, model::Protocol::tcp);
  EXPECT_EQ(to_string(views[0].client), "198.51.100.7:40000");
  EXPECT_EQ(to_string(views[0].vip), "192.0.2.1:80");
  EXPECT_EQ(to_string(views[0].server), "10.0.0.1:80");
  EXPECT_EQ(views[0].state, "ESTABLISHED");
  EXPECT_EQ(views[0].expires_s, 899U) << "rounded down";
}

TEST_F(connection_list, shows_both_regions_and_udp) {
  add(40000, TcpState::syn_recv, 60, 1, model::Protocol::tcp, true);
  add(40001, TcpState::none, 300, 2, model::Protocol::udp);
  const auto views = list();
  ASSERT_EQ(views.size(), 2U);
  EXPECT_EQ(views[0].state, "UDP");
  EXPECT_EQ(views[1].state, "SYN_RECV");
}

TEST_F(connection_list, expired_and_half_made_ones_are_not_there) {
  add(40000, TcpState::close, 10);
  tables.connections[0].records[0].word = claimed_at(clock.ticks());
  EXPECT_EQ(list().size(), 1U);
  clock.advance(milliseconds(9990));
  EXPECT_EQ(list().size(), 1U) << "the last tick";
  EXPECT_EQ(list()[0].expires_s, 0U);
  clock.advance(milliseconds(10));
  EXPECT_TRUE(list().empty());
}

TEST_F(sweeper, ends_what_is_over_and_counts_it_out) {
  add(1, TcpState::established, 10, 1);
  add(2, TcpState::fin_wait, 10, 1);
  add(3, TcpState::syn_recv, 10, 2, model::Protocol::tcp, true);
  add(4, TcpState::none, 10, 2, model::Protocol::udp);
  add(5, TcpState::established, 900, 1);
  Sweeper made(tables, clock);
  clock.advance(milliseconds(9990));
  EXPECT_EQ(made.sweep(4096 + 1024).ended, 0U);
  clock.advance(milliseconds(10));
  EXPECT_EQ(made.sweep(4096 + 1024).ended, 4U);
  EXPECT_EQ(tables.loads[1].active, 1);
  EXPECT_EQ(tables.loads[1].inactive, 0);
  EXPECT_EQ(tables.loads[2].active, 0);
  EXPECT_EQ(tables.loads[2].inactive, 0);
  EXPECT_EQ(list().size(), 1U);
}

TEST_F(sweeper, within_a_second_of_small_steps_every_bucket_was_seen) {
  for (std::uint16_t port = 1; port <= 1000; ++port)
    add(port, TcpState::close, 10, 1, model::Protocol::tcp, port % 2 == 0);
  clock.advance(milliseconds(10000));
  Sweeper made(tables, clock);
  add(2000, TcpState::close, 0);
  u64 ended = 0;
  for (int elapsed = 0; elapsed < 1000; elapsed += 7) {
    clock.advance(milliseconds(7));
    ended += made.advance().ended;
  }
  EXPECT_EQ(ended, 1001U);
  EXPECT_EQ(tables.loads[1].inactive, 0);
  EXPECT_TRUE(list().empty());
}

TEST_F(sweeper, a_long_pause_costs_one_walk) {
  Sweeper made(tables, clock);
  add(1, TcpState::close, 10);
  clock.advance(milliseconds(3'600'000));
  EXPECT_EQ(made.advance().ended, 1U);
  EXPECT_EQ(made.advance().ended, 0U);
}

TEST_F(sweeper, frees_a_claim_that_nobody_published_after_a_second) {
  u64& word = tables.half_open[1023].records[7].word;
  word = claimed_at(clock.ticks());
  Sweeper made(tables, clock);
  clock.advance(milliseconds(990));
  EXPECT_EQ(made.sweep(5120).claims_freed, 0U);
  clock.advance(milliseconds(10));
  const Swept swept = made.sweep(5120);
  EXPECT_EQ(swept.claims_freed, 1U);
  EXPECT_EQ(swept.ended, 0U);
  EXPECT_EQ(word, 0U);
}

TEST_F(sweeper, a_record_of_no_slot_is_ended_without_counting) {
  add(1, TcpState::close, 1);
  for (ConnectionBucket& bucket : tables.connections)
    for (Connection& record : bucket.records)
      if (record.word != 0) record.server = 0xffffffff;
  Sweeper made(tables, clock);
  clock.advance(milliseconds(1000));
  EXPECT_EQ(made.sweep(5120).ended, 1U);
}

}  // namespace
}  // namespace penstock::control
