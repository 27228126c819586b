#include "control/sweeper.hpp"

#include <cmath>

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

  // One of the live records.
  Connection* live(Role role) {
    for (ConnectionBucket& bucket : tables.connections)
      for (Connection& record : bucket.records)
        if (is_live(record.word) && record.key.role == role) return &record;
    return nullptr;
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

// As ticks go round, it would hold again some day.
TEST_F(sweeper, takes_out_what_held_until_a_time_that_is_past) {
  SharedState& shared = *tables.shared;
  hold_until(&shared.full_until, clock.ticks() + 5 * clock.ticks_per_second());
  hold_until(&shared.expected_until, clock.ticks() + 10 * clock.ticks_per_second());
  Sweeper made(tables, clock);
  pass(made, seconds(4));
  EXPECT_TRUE(holds(shared.full_until, clock.ticks()));
  pass(made, seconds(3));
  EXPECT_EQ(shared.full_until, 0U);
  EXPECT_TRUE(holds(shared.expected_until, clock.ticks()));
  pass(made, seconds(5));
  EXPECT_EQ(shared.expected_until, 0U);
}

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

// FTP's control connection to the server in slot 1, and data of it.
Connection control_of(Connection request) {
  request.key.vip_port = ftp_port;
  request.traits = static_cast<u8>(Method::nat);
  return request;
}
Connection data_of(Connection request) {
  request.key.vip_port = big(u16{30000});
  request.traits = static_cast<u8>(Method::nat) | trait_controlled | trait_own_port;
  return request;
}

// IPVS: n_control, as with templates.
TEST_F(sweeper, ftps_control_connection_outlives_its_timeout_by_minutes_while_it_has_data_connections) {
  put(control_of(request(1000)), TcpState::established, 10);
  put(data_of(request(0)), TcpState::listen, 100);
  Connection stranger = control_of(request(1001));
  stranger.key.vip.low ^= 1U << 24;
  put(stranger, TcpState::established, 10);
  Sweeper made(tables, clock);
  pass(made, seconds(12));
  ASSERT_TRUE(find(control_of(request(1000)).key));
  EXPECT_FALSE(find(stranger.key)) << "another virtual address";
  pass(made, seconds(60));
  EXPECT_TRUE(find(control_of(request(1000)).key));
  pass(made, seconds(40));
  EXPECT_FALSE(find(data_of(request(0)).key));
  EXPECT_TRUE(find(control_of(request(1000)).key));
  pass(made, seconds(60));
  EXPECT_FALSE(find(control_of(request(1000)).key));
}

TEST_F(sweeper, a_shift_lives_as_long_as_its_connection_and_no_longer) {
  Connection control = control_of(request(1000));
  control.traits |= trait_mangled;
  put(control, TcpState::established, 100);
  Connection shift = control;
  shift.key.role = Role::shift;
  put(shift, 0, 5);
  Sweeper made(tables, clock);
  pass(made, seconds(98));
  EXPECT_TRUE(find(shift.key));
  pass(made, seconds(4));
  EXPECT_FALSE(find(shift.key));
  EXPECT_FALSE(find(control.key));
}

TEST_F(sweeper, a_shift_ends_when_another_connection_has_its_key) {
  Connection control = control_of(request(1000));
  put(control, TcpState::established, 100);
  Connection shift = control;
  shift.key.role = Role::shift;
  put(shift, 0, 500);
  Sweeper made(tables, clock);
  pass(made, seconds(2));
  EXPECT_FALSE(find(shift.key));
  EXPECT_TRUE(find(control.key));
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
  u64 ended = 0;
  for (int elapsed = 0; elapsed < 1000; elapsed += 7) {
    clock.advance(milliseconds(7));
    ended += made.advance().ended;
  }
  EXPECT_EQ(ended, 1000U);
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
  Connection* request = live(Role::request);
  ASSERT_NE(request, nullptr);
  // The client goes on, the real server says nothing that the director sees.
  request->word = with_state(request->word, static_cast<u32>(TcpState::established), clock.ticks() + 3000);
  Sweeper made(tables, clock);
  pass(made, seconds(1));
  const Connection* reply = live(Role::reply);
  ASSERT_NE(reply, nullptr);
  EXPECT_EQ(state_of(reply->word), static_cast<u32>(TcpState::established)) << "and knows what the client did";
  pass(made, seconds(19));
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

// One of 36 walks looks at a bucket: in a thousand every bucket is looked at.
TEST_F(sweeper, drop_entry_ends_half_open_connections_with_their_replies_and_counts_them_out) {
  tables.settings->drop_entry = 1;
  put_nat(40000, TcpState::syn_recv, 900);
  put(request(40001), TcpState::synack, 900);
  put(request(40002, model::Protocol::sctp), static_cast<u32>(SctpState::init), 900);
  put(request(40003), TcpState::established, 900);
  put(request(40004), TcpState::fin_wait, 900);
  put(request(40005, model::Protocol::udp), 0, 300);
  Sweeper made(tables, clock);
  u64 dropped = 0;
  for (u32 walks = 0; walks < 1000; ++walks) dropped += made.sweep(walk).dropped;
  EXPECT_EQ(dropped, 3U);
  EXPECT_EQ(count(Role::request), 3U);
  EXPECT_EQ(count(Role::reply), 0U);
  EXPECT_EQ(tables.loads[1].active, 1);
  EXPECT_EQ(tables.loads[1].inactive, 2);
}

TEST_F(sweeper, drop_entry_takes_idle_connections_by_what_is_left_of_their_time) {
  tables.settings->drop_entry = 1;
  put(request(1, model::Protocol::udp), 0, 240);
  put(request(2, model::Protocol::udp), 0, 241);
  Connection answered = request(3, model::Protocol::udp);
  answered.traits |= trait_answered;
  put(answered, 0, 200);
  Sweeper made(tables, clock);
  for (u32 walks = 0; walks < 1000; ++walks) made.sweep(walk);
  EXPECT_EQ(find(request(1, model::Protocol::udp).key), nullptr);
  EXPECT_NE(find(request(2, model::Protocol::udp).key), nullptr) << "idle for 59 s of 300";
  EXPECT_NE(find(answered.key), nullptr);
}

TEST_F(sweeper, drop_entry_thins_a_flood_by_a_32nd_a_second) {
  tables.settings->drop_entry = 1;
  for (u16 port = 1; port <= 10'000; ++port) put(request(port), TcpState::syn_recv, 900);
  ASSERT_EQ(count(Role::request), 10'000U);
  Sweeper made(tables, clock);
  pass(made, seconds(10));
  EXPECT_NEAR(count(Role::request), 10'000 * std::pow(31.0 / 32, 10), 200);
  EXPECT_EQ(tables.loads[1].active, static_cast<s32>(count(Role::request)));
}

TEST_F(sweeper, without_drop_entry_nothing_goes_before_its_time) {
  put(request(40000), TcpState::syn_recv, 60);
  put(persistence(), 0, 900);
  Sweeper made(tables, clock);
  for (u32 walks = 0; walks < 1000; ++walks) EXPECT_EQ(made.sweep(walk).dropped, 0U);
}

class dropped_templates : public sweeper {
 protected:
  // Last used `idle_s` ago.
  Connection put_template(TemplateState state, u32 idle_s) {
    Connection made = persistence();
    made.detail = 30'000;  // 300 s
    put(made, static_cast<u32>(state), 300 - idle_s);
    return made;
  }
  bool goes(const Connection& made) {
    tables.settings->drop_entry = 1;
    Sweeper walker(tables, clock);
    for (u32 walks = 0; walks < 1000; ++walks) walker.sweep(walk);
    return find(made.key) == nullptr;
  }
};

TEST_F(dropped_templates, go_if_they_led_to_nothing) {
  offer_persistence();
  EXPECT_TRUE(goes(put_template(TemplateState::none, 10)));
  EXPECT_EQ(tables.loads[1].persistent, 0);
  EXPECT_FALSE(goes(put_template(TemplateState::assured, 10)));
}

TEST_F(dropped_templates, stay_while_their_connections_do) {
  offer_persistence();
  put(child(40000), TcpState::established, 900);
  EXPECT_FALSE(goes(put_template(TemplateState::none, 10)));
}

TEST_F(dropped_templates, stay_when_they_were_just_used) {
  offer_persistence();
  EXPECT_FALSE(goes(put_template(TemplateState::none, 1))) << "its connection may not have been seen yet";
}

TEST_F(dropped_templates, stay_until_a_whole_walk_has_looked_for_their_connections) {
  offer_persistence();
  tables.settings->drop_entry = 1;
  Connection made = persistence();
  made.detail = 30'000;
  for (u32 client = 0; client < 1000; ++client, made.key.client.low += 1) put(made, 0, 290);
  Sweeper walker(tables, clock);
  EXPECT_EQ(walker.sweep(walk).dropped, 0U);
  EXPECT_NE(walker.sweep(walk).dropped, 0U);
}

TEST_F(dropped_templates, of_one_packet_services_stay) {
  const ServiceTerms terms{
      .flags = service_persistent | service_one_packet, .persistence_ticks = 30'000, .netmask = 0xffffffff};
  model::ServiceKey dns = web;
  dns.protocol = model::Protocol::udp;
  TableWriter(tables).execute({PublishService{dns, 1, terms, {}}});
  Connection made = persistence();
  made.key.protocol = protocol_udp;
  made.detail = 30'000;
  put(made, 0, 290);
  EXPECT_FALSE(goes(made));
  made.key.client.low += 1;
  made.key.vip_port = big(u16{5353});
  put(made, 0, 290);
  EXPECT_TRUE(goes(made)) << "of a service without";
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
