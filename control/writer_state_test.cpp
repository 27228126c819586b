#include "control/writer_state.hpp"

#include <gmock/gmock.h>

#include <algorithm>

#include "control/images.hpp"
#include "control/local_pool.hpp"
#include "control/service_program.hpp"
#include "control/tallies.hpp"
#include "control/writer_test_world.hpp"
#include "datapath/core/hash.hpp"
#include "datapath/core/table.hpp"

namespace penstock::control {
namespace {

AddressImage image(const std::string& address) { return image_of(at(address, 0).address); }

template <std::size_t words>
bool holds(const u64 (&bits)[words], const std::string& address) {
  const u32 bit = vip_filter_bit(image(address));
  return (bits[bit / 64] >> (bit % 64) & 1) != 0;
}

model::ServiceKey mark(u32 number) {
  model::ServiceKey key;
  key.fwmark = number;
  key.vip = at("0.0.0.0", 0);
  return key;
}

model::RealServer by(model::Method method, const std::string& address, std::uint16_t port = 80) {
  model::RealServer made = server(address);
  made.method = method;
  made.endpoint.port = port;
  return made;
}

class writer_state : public testing::Test {
 protected:
  void offer(const model::ServiceKey& key, const std::vector<model::RealServer>& servers) {
    ServiceProgram program;
    for (const model::RealServer& each : servers) {
      const Slot slot = *state.slots.take({key, each.endpoint});
      program.servers.push_back({slot.index, row_of(each, each.endpoint.address.bytes[3], slot.generation), {}});
    }
    state.programs[key] = std::make_shared<const ServiceProgram>(std::move(program));
  }
  [[nodiscard]] VipFilter filter() const { return filter_of(state, tables); }

  NativeTables owner{small_config()};
  Tables& tables = owner.view();
  WriterState state{.desired = {},
                    .programs = {},
                    .slots = Slots(tables.servers, tables.loads),
                    .pool = SchedulePool(64),
                    .book = StatisticsBook(tables),
                    .next_service_id = 1,
                    .timeouts = {}};
};

using tallies = writer_state;

TEST_F(writer_state, virtual_addresses_are_looked_at_and_servers_of_direct_are_not) {
  offer(tcp("192.0.2.1", 80), {by(model::Method::direct, "10.0.0.1")});
  offer(tcp("2001:db8::1", 80), {});
  EXPECT_TRUE(holds(filter().bits, "192.0.2.1"));
  EXPECT_TRUE(holds(filter().bits, "2001:db8::1"));
  EXPECT_FALSE(holds(filter().bits, "192.0.2.2"));
  EXPECT_FALSE(holds(filter().servers, "10.0.0.1")) << "its replies don't pass";
}

TEST_F(writer_state, servers_are_looked_at_once_anything_was_translated) {
  offer(tcp("192.0.2.1", 80), {by(model::Method::nat, "10.0.0.1")});
  state.has_translated = true;
  EXPECT_TRUE(holds(filter().servers, "10.0.0.1"));
  EXPECT_FALSE(holds(filter().bits, "10.0.0.1"));
  state.slots.retire({tcp("192.0.2.1", 80), at("10.0.0.1", 80)});
  state.programs.clear();
  offer(tcp("192.0.2.2", 80), {});
  EXPECT_TRUE(holds(filter().servers, "10.0.0.1")) << "its connections go on";
  EXPECT_TRUE(holds(filter().bits, "192.0.2.1")) << "and so do its clients";
}

TEST_F(writer_state, the_address_that_tunnels_leave_from_gets_icmp_about_them) {
  tables.next_hops[2].address = image("10.0.0.254");
  offer(tcp("192.0.2.1", 80), {by(model::Method::direct, "10.0.0.2")});
  EXPECT_FALSE(holds(filter().bits, "10.0.0.254"));
  offer(tcp("192.0.2.1", 81), {by(model::Method::tunnel, "10.0.0.2")});
  EXPECT_TRUE(holds(filter().bits, "10.0.0.254"));
}

TEST_F(writer_state, a_marks_service_has_no_address_but_its_rules_have_destinations) {
  offer(mark(5), {});
  const VipFilter nothing{};
  EXPECT_TRUE(std::ranges::equal(filter().bits, nothing.bits));
  model::MarkRule rule;
  rule.destination = *model::parse_prefix("203.0.113.0/24");
  rule.mark = 5;
  ASSERT_TRUE(state.desired.add_mark_rule(rule));
  const u32 prefix = static_cast<u16>(image("203.0.113.0").low);
  EXPECT_EQ(filter().marked[0][prefix / 64] >> (prefix % 64) & 1, 1U);
  EXPECT_TRUE(std::ranges::equal(filter().marked[1], nothing.marked[1])) << "IPv6's are others";
}

TEST_F(writer_state, the_filter_says_which_parts_of_it_are_used) {
  offer(tcp("192.0.2.1", 80), {by(model::Method::direct, "10.0.0.1")});
  EXPECT_EQ(filter().uses, 0U);
  state.has_translated = true;
  EXPECT_EQ(filter().uses, filter_has_servers);
  model::MarkRule rule;
  rule.destination = *model::parse_prefix("203.0.113.0/24");
  rule.mark = 5;
  ASSERT_TRUE(state.desired.add_mark_rule(rule));
  EXPECT_EQ(filter().uses, filter_has_servers | filter_has_marked);
}

TEST_F(writer_state, local_addresses_are_looked_at_also_those_that_were_removed) {
  offer(tcp("192.0.2.1", 80), {});
  const auto none_held = [] { return HeldPlaces{}; };
  write_local_pool(*tables.local_pool, {at("10.0.0.250", 0).address}, none_held);
  write_local_pool(*tables.local_pool, {}, none_held);
  ASSERT_TRUE(state.desired.add_local_address(at("10.0.0.251", 0).address));
  EXPECT_TRUE(holds(filter().bits, "10.0.0.250"));
  EXPECT_TRUE(holds(filter().bits, "10.0.0.251"));
}

TEST_F(writer_state, without_a_service_nothing_is_ours) {
  state.slots.take({tcp("192.0.2.1", 80), at("10.0.0.1", 80)});
  state.slots.retire({tcp("192.0.2.1", 80), at("10.0.0.1", 80)});
  ASSERT_TRUE(state.desired.add_local_address(at("10.0.0.251", 0).address));
  state.kept.marked[0][3] = 1;
  const VipFilter made = filter();
  EXPECT_TRUE(std::ranges::all_of(made.bits, [](u64 word) { return word == 0; }));
  EXPECT_TRUE(std::ranges::all_of(made.marked[0], [](u64 word) { return word == 0; }));
}

// IPVS: ip_vs_has_real_service looks for real servers by address, port and protocol.
TEST_F(writer_state, ports_of_nats_servers_and_of_no_others) {
  offer(tcp("192.0.2.1", 80), {by(model::Method::nat, "10.0.0.1", 8080), by(model::Method::direct, "10.0.0.2"),
                               by(model::Method::tunnel, "10.0.0.3"), by(model::Method::nat, "10.0.0.4", 0)});
  offer(mark(5), {by(model::Method::nat, "10.0.0.5")});
  std::vector<model::Endpoint> endpoints;
  for (const ServiceKey& port : server_ports_of(state)) {
    endpoints.push_back(endpoint_of(port.vip, port.family, port.port));
    EXPECT_EQ(port.protocol, 6) << "a mark's are TCP's";
    EXPECT_EQ(port.mark, mark_of_server);
  }
  EXPECT_THAT(endpoints, testing::UnorderedElementsAre(at("10.0.0.1", 8080), at("10.0.0.5", 80)));
}

TEST_F(tallies, count_what_the_packet_path_would_look_for) {
  EXPECT_EQ(tallies_of(state).port_zero_services, 0U);
  offer(tcp("192.0.2.1", 0), {by(model::Method::tunnel, "10.0.0.1"), by(model::Method::tunnel, "10.0.0.2")});
  offer(tcp("192.0.2.1", 21), {by(model::Method::direct, "10.0.0.3")});
  offer({model::Protocol::udp, at("192.0.2.1", 21), 0}, {});
  offer(mark(5), {});
  const Tallies counted = tallies_of(state);
  EXPECT_EQ(counted.port_zero_services, 1U) << "a mark's service is none of all ports";
  EXPECT_EQ(counted.ftp_services, 1U) << "FTP is TCP's";
  EXPECT_EQ(counted.tunnel_servers, 2U);
  EXPECT_EQ(counted.translating_servers, 0U);
  write_tallies(*tables.settings, counted);
  EXPECT_EQ(tables.settings->port_zero_services, 1U);
  EXPECT_EQ(tables.settings->ftp_services, 1U);
  EXPECT_EQ(tables.settings->tunnel_servers, 2U);
}

TEST_F(tallies, a_removed_servers_tunnels_and_translated_connections_still_count) {
  offer(tcp("192.0.2.1", 80), {by(model::Method::direct, "10.0.0.1")});
  state.slots.retire({tcp("192.0.2.1", 80), at("10.0.0.1", 80)});
  state.has_translated = true;
  EXPECT_NE(tallies_of(state).tunnel_servers, 0U);
  EXPECT_NE(tallies_of(state).translating_servers, 0U);
}

TEST_F(tallies, connections_of_nat_and_fullnat_are_translated_living_requests) {
  const auto is_translated_by = [&](u8 traits, Role role, u64 word) {
    Connection& record = tables.connections[7].records[3];
    record.traits = traits;
    record.key.role = role;
    record.word = word;
    return has_translated(tables.connections);
  };
  EXPECT_FALSE(has_translated(tables.connections));
  EXPECT_TRUE(is_translated_by(static_cast<u8>(Method::nat), Role::request, word_live));
  EXPECT_TRUE(is_translated_by(static_cast<u8>(Method::fullnat) | trait_controlled, Role::request, word_live));
  EXPECT_FALSE(is_translated_by(static_cast<u8>(Method::direct), Role::request, word_live));
  EXPECT_FALSE(is_translated_by(static_cast<u8>(Method::nat), Role::persistence, word_live)) << "its traits are none";
  EXPECT_FALSE(is_translated_by(static_cast<u8>(Method::nat), Role::request, word_claimed));
}

}  // namespace
}  // namespace penstock::control
