#include "control/sweeper.hpp"

#include "control/connection_test_world.hpp"

namespace penstock::control {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

const model::ServiceKey web = tcp("192.0.2.1", 80);

class sweeper : public ConnectionsTest {
 protected:
  static constexpr u64 walk = 4096;

  // Time passes in small steps, as the daemon lets it.
  void pass(Sweeper& made, milliseconds time) {
    for (milliseconds passed{0}; passed < time; passed += milliseconds(100)) {
      clock.advance(milliseconds(100));
      made.advance();
    }
  }

  // The service whose connections templates make.
  void offer_persistence() {
    const ServiceTerms terms{.flags = service_persistent, .persistence_ticks = 30'000, .netmask = 0xffffffff};
    TableWriter(tables).execute({PublishService{web, 1, terms, {}}});
  }
  static Connection child(u16 client_port) {
    Connection made = request(client_port);
    made.traits |= trait_controlled;
    return made;
  }
};

TEST_F(sweeper, ends_what_is_over_and_counts_it_out) {
  put(request(1), TcpState::established, 10);
  put(request(2), TcpState::fin_wait, 10);
  Connection other = request(3);
  other.server = 2;
  put(other, TcpState::syn_recv, 10);
  other = request(4, model::Protocol::udp);
  other.server = 2;
  put(other, 0, 10);
  put(request(5), TcpState::established, 900);
  EXPECT_EQ(tables.loads[1].active, 2);
  Sweeper made(tables, clock);
  clock.advance(milliseconds(9990));
  EXPECT_EQ(made.sweep(walk).ended, 0U);
  clock.advance(milliseconds(10));
  EXPECT_EQ(made.sweep(walk).ended, 4U);
  EXPECT_EQ(tables.loads[1].active, 1);
  EXPECT_EQ(tables.loads[1].inactive, 0);
  EXPECT_EQ(tables.loads[2].active, 0);
  EXPECT_EQ(tables.loads[2].inactive, 0);
  EXPECT_EQ(list().size(), 1U);
}

TEST_F(sweeper, sctp_is_active_while_established) {
  put(request(1, model::Protocol::sctp), static_cast<u32>(SctpState::established), 10);
  put(request(2, model::Protocol::sctp), static_cast<u32>(SctpState::cookie_wait), 10);
  EXPECT_EQ(tables.loads[1].active, 1);
  EXPECT_EQ(tables.loads[1].inactive, 1);
  Sweeper made(tables, clock);
  clock.advance(seconds(10));
  EXPECT_EQ(made.sweep(walk).ended, 2U);
  EXPECT_EQ(tables.loads[1].active, 0);
  EXPECT_EQ(tables.loads[1].inactive, 0);
}

TEST_F(sweeper, within_a_second_of_small_steps_every_bucket_was_seen) {
  for (u16 port = 1; port <= 1000; ++port) put(request(port), TcpState::close, 10);
  clock.advance(milliseconds(10000));
  Sweeper made(tables, clock);
  put(request(2000), TcpState::close, 0);
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
  put(request(1), TcpState::close, 10);
  clock.advance(milliseconds(3'600'000));
  EXPECT_EQ(made.advance().ended, 1U);
  EXPECT_EQ(made.advance().ended, 0U);
}

TEST_F(sweeper, frees_a_claim_that_nobody_published_after_a_second) {
  u64& word = tables.connections[4095].records[7].word;
  word = claimed_at(clock.ticks());
  Sweeper made(tables, clock);
  clock.advance(milliseconds(990));
  EXPECT_EQ(made.sweep(walk).claims_freed, 0U);
  clock.advance(milliseconds(10));
  const Swept swept = made.sweep(walk);
  EXPECT_EQ(swept.claims_freed, 1U);
  EXPECT_EQ(swept.ended, 0U);
  EXPECT_EQ(word, 0U);
}

TEST_F(sweeper, a_record_of_no_slot_is_ended_without_counting) {
  put(request(1), TcpState::close, 1);
  for (ConnectionBucket& bucket : tables.connections)
    for (Connection& record : bucket.records)
      if (record.word != 0) record.server = 0xffff;
  Sweeper made(tables, clock);
  clock.advance(seconds(1));
  EXPECT_EQ(made.sweep(walk).ended, 1U);
}

TEST_F(sweeper, a_reply_lives_for_as_long_as_its_request) {
  put_nat(40000, TcpState::syn_recv, 10);
  Connection* request = nullptr;
  for (ConnectionBucket& bucket : tables.connections)
    for (Connection& record : bucket.records)
      if (is_live(record.word) && record.key.role == Role::request) request = &record;
  ASSERT_NE(request, nullptr);
  // The client goes on, the real server says nothing that the director sees.
  request->word = with_state(request->word, static_cast<u32>(TcpState::established), clock.ticks() + 3000);
  Sweeper made(tables, clock);
  pass(made, seconds(20));
  EXPECT_EQ(count(Role::reply), 1U);
  pass(made, seconds(11));
  EXPECT_EQ(count(Role::request), 0U);
  EXPECT_EQ(count(Role::reply), 0U) << "and dies with it";
}

TEST_F(sweeper, a_reply_whose_request_is_gone_ends_when_its_time_is_over) {
  put_nat(40000, TcpState::established, 10);
  for (u32 bucket = 0; bucket < walk; ++bucket)
    for (u32 index = 0; index < records_per_bucket; ++index) {
      Connection& record = tables.connections[bucket].records[index];
      if (!is_live(record.word) || record.key.role != Role::request) continue;
      end_record(tables.connection_table(), Found<Connection>{&record, record.word, bucket, index}, clock.ticks(),
                 [](const Connection&, u64) {});
    }
  Sweeper made(tables, clock);
  pass(made, seconds(9));
  EXPECT_EQ(count(Role::reply), 1U);
  pass(made, seconds(3));
  EXPECT_EQ(count(Role::reply), 0U);
}

TEST_F(sweeper, templates_end_and_count_as_persistent) {
  offer_persistence();
  put(persistence(), 0, 10);
  EXPECT_EQ(tables.loads[1].persistent, 1);
  EXPECT_EQ(tables.loads[1].inactive, 0) << "not as connections";
  Sweeper made(tables, clock);
  pass(made, seconds(9));
  EXPECT_EQ(tables.loads[1].persistent, 1);
  pass(made, seconds(2));
  EXPECT_EQ(count(Role::persistence), 0U);
  EXPECT_EQ(tables.loads[1].persistent, 0);
}

// IPVS: ip_vs_conn_expire, while n_control is not 0.
TEST_F(sweeper, a_template_lives_on_by_a_minute_while_its_connections_do) {
  offer_persistence();
  Connection made_template = persistence();
  made_template.detail = 1000;
  put(made_template, 0, 10);
  put(child(40000), TcpState::established, 100);
  Sweeper made(tables, clock);
  pass(made, seconds(12));
  const Connection* found = find(made_template.key);
  ASSERT_NE(found, nullptr);
  const u32 left = expires_of(found->word) - clock.ticks();
  EXPECT_EQ(left, 5800U) << "60 s from its former end";
  EXPECT_EQ(found->detail, 6000U) << "and that is its timeout from now on";
  pass(made, seconds(60));
  EXPECT_NE(find(made_template.key), nullptr) << "the connection has 28 s left: once more";
  pass(made, seconds(50));
  EXPECT_NE(find(made_template.key), nullptr);
  pass(made, seconds(10));
  EXPECT_EQ(find(made_template.key), nullptr) << "nothing keeps it";
  EXPECT_EQ(tables.loads[1].persistent, 0);
}

TEST_F(sweeper, a_connection_that_no_template_made_keeps_none) {
  offer_persistence();
  put(persistence(), 0, 10);
  put(request(40000), TcpState::established, 100);
  Connection another = child(40001);
  another.key.client = image_of(at("198.51.100.8", 0).address);
  put(another, TcpState::established, 100);
  Sweeper made(tables, clock);
  pass(made, seconds(12));
  EXPECT_EQ(count(Role::persistence), 0U);
  EXPECT_EQ(count(Role::request), 2U);
}

TEST_F(sweeper, cached_destinations_and_fragments_end_without_counting) {
  Connection cache = request(0);
  cache.key.role = Role::cache;
  put(cache, 0, 10);
  Connection fragment = request(7);
  fragment.key.role = Role::fragment;
  put(fragment, 0, 10);
  Sweeper made(tables, clock);
  clock.advance(seconds(10));
  EXPECT_EQ(made.sweep(walk).ended, 2U);
  EXPECT_EQ(tables.loads[1].active, 0);
  EXPECT_EQ(tables.loads[1].inactive, 0);
  EXPECT_EQ(tables.loads[1].persistent, 0);
}

TEST_F(sweeper, a_connection_that_bypassed_all_servers_ends_like_any) {
  Connection bypass = request(40000);
  bypass.server = server_of_none;
  bypass.generation = 0;
  bypass.traits = static_cast<u8>(Method::bypass);
  put(bypass, TcpState::syn_recv, 10);
  EXPECT_EQ(tables.loads[server_of_none].active, 1);
  end_orphans(tables, clock.ticks());
  EXPECT_EQ(count(Role::request), 1U) << "it has no server to lose";
  Sweeper made(tables, clock);
  clock.advance(seconds(10));
  EXPECT_EQ(made.sweep(walk).ended, 1U);
  EXPECT_EQ(tables.loads[server_of_none].active, 0);
}

TEST_F(sweeper, relieves_a_server_that_was_overloaded) {
  TableWriter(tables).execute({WriteServer{1, row(1), {.weight = 1, .upper_threshold = 2, .lower_threshold = 2}}});
  put(request(1), TcpState::established, 10);
  put(request(2), TcpState::established, 900);
  EXPECT_EQ(tables.loads[1].overloaded, 1U);
  Sweeper made(tables, clock);
  clock.advance(seconds(10));
  made.sweep(walk);
  EXPECT_EQ(tables.loads[1].overloaded, 0U) << "one is below two";
}

TEST_F(sweeper, orphans_end_with_their_replies_and_others_stay) {
  put_nat(40000, TcpState::established, 900);
  Connection of_former = request(40001);
  of_former.server = 2;
  of_former.generation = 0;
  put(of_former, TcpState::established, 900);
  Connection of_living = request(40002);
  of_living.server = 3;
  put(of_living, TcpState::established, 900);
  put(persistence(), 0, 300);
  TableWriter(tables).execute({WithdrawServer{1}});
  end_orphans(tables, clock.ticks());
  EXPECT_EQ(count(Role::request), 1U);
  EXPECT_NE(find(of_living.key), nullptr);
  EXPECT_EQ(count(Role::reply), 0U);
  EXPECT_EQ(count(Role::persistence), 1U) << "IPVS looks at connections only";
  EXPECT_EQ(tables.loads[1].active, 0);
  EXPECT_EQ(tables.loads[2].active, 0);
  EXPECT_EQ(tables.loads[3].active, 1);
}

// lblcr: up to four slots of sixteen bits.
TEST_F(sweeper, slots_that_change_hands_leave_the_sets_of_lblcr) {
  Connection cache = request(0);
  cache.key.role = Role::cache;
  cache.key.client = {.low = 1, .high = 0};
  cache.detail = 0x0003'0002'0001;
  put(cache, 0, 900);
  Connection other = cache;
  other.key.client.low = 2;
  other.detail = 2;
  put(other, 0, 900);
  Connection of_way = request(40000);
  of_way.traits = static_cast<u8>(Method::nat);
  of_way.detail = 2;
  put(of_way, TcpState::established, 900);
  forget_slots(tables, std::vector<u32>{2, 7});
  EXPECT_EQ(find(cache.key)->detail, 0x0003'0001U);
  EXPECT_EQ(find(other.key)->detail, 0U);
  EXPECT_EQ(find(of_way.key)->detail, 2U) << "a connection's is no set";
}

}  // namespace
}  // namespace penstock::control
