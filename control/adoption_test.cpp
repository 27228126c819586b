// A daemon ends, at any point of its work, and another takes over: the same tables, the same file.
#include "control/adoption.hpp"

#include <bit>
#include <cerrno>
#include <filesystem>

#include "control/flip.hpp"
#include "control/images.hpp"
#include "control/writer_test_world.hpp"
#include "datapath/core/connection.hpp"
#include "schedulers/mh_table.hpp"

namespace penstock::control {
namespace {

const model::ServiceKey web = tcp("192.0.2.1", 80);
const model::ServiceKey other = tcp("192.0.2.1", 81);

Config other_secret() {
  Config config = small_config();
  config.hash_key[0] ^= 1;
  return config;
}

class adoption : public testing::Test {
 protected:
  adoption() {
    char name[] = "/tmp/penstock-adoption-XXXXXX";
    directory = ::mkdtemp(name);
    file = std::make_unique<Store>(directory + "/state.json");
  }
  ~adoption() override { std::filesystem::remove_all(directory); }

  std::unique_ptr<Writer> start(const Tables& standing) {
    hops.held.clear();
    auto started =
        Writer::start({.tables = standing, .next_hops = hops, .clock = clock, .store = file.get(), .warn = {}});
    EXPECT_TRUE(started) << started.error().message;
    return started ? std::move(*started) : nullptr;
  }
  std::unique_ptr<Writer> start() { return start(tables); }

  FoundService found(const model::ServiceKey& key) {
    for (const FoundService& each : TableWriter(tables).services())
      if (each.key == key) return each;
    ADD_FAILURE() << "no record of " << to_string(key);
    return {};
  }
  void take_picks(const model::ServiceKey& key, u64 count) { tables.schedules[found(key).schedule.offset] += count; }
  // Last bytes of the addresses that the schedule's cells lead to.
  std::string cells(const model::ServiceKey& key) {
    std::string text;
    const ScheduleRef schedule = found(key).schedule;
    for (u32 i = 0; i < schedule.size; ++i) {
      const RealServer& row = tables.servers[tables.schedules[schedule.offset + schedule_header_cells + i]];
      text += std::to_string(endpoint_of(row.address, row.family, row.port).address.bytes[3]) + " ";
    }
    return text;
  }

  std::string directory;
  std::unique_ptr<Store> file;
  HandClock clock;
  CountedHops hops;
  NativeTables owner{small_config()};
  Tables& tables = owner.view();
};

void two_servers(Writer& writer, const std::string& scheduler = "rr") {
  ASSERT_TRUE(writer.add_service(service(web, scheduler)));
  ASSERT_TRUE(writer.add_server(web, server("10.0.0.1", 2)));
  ASSERT_TRUE(writer.add_server(web, server("10.0.0.2", 1)));
}

model::Service persistent_service() {
  model::Service made = service(tcp("192.0.2.2", 0), "sh");
  made.flags = model::service_flag::persistent | model::service_flag::sched_1;
  made.persistence_timeout_s = 77;
  made.netmask = 0xffffff00;
  return made;
}

model::RealServer by(model::Method method, const std::string& address) {
  model::RealServer made = server(address, 3);
  made.method = method;
  made.upper_threshold = 20;
  made.lower_threshold = 10;
  return made;
}

// All that the packet path could tell apart, but for next hops, which belong to the new daemon.
std::vector<u64> image(const Tables& tables) {
  std::vector<u64> words;
  const auto append = [&](const auto& rows) {
    const auto* from = reinterpret_cast<const u64*>(rows.data());
    words.insert(words.end(), from, from + rows.size_bytes() / sizeof(u64));
  };
  append(tables.services);
  append(tables.servers);
  append(tables.loads);
  append(tables.schedules);
  append(std::span<const VipFilter>(tables.vip_filter, 1));
  append(std::span<const Settings>(tables.settings, 1));
  append(std::span<const MarkRules>(tables.mark_rules, 1));
  append(std::span<const LocalPool>(tables.local_pool, 1));
  return words;
}

TEST_F(adoption, a_restart_changes_nothing_at_all) {
  const auto first = start();
  two_servers(*first, "wrr");
  ASSERT_TRUE(first->add_service(service(other)));
  ASSERT_TRUE(first->add_server(web, server("10.0.0.3")));
  ASSERT_TRUE(first->delete_server(web, at("10.0.0.3", 80)));
  ASSERT_TRUE(first->set_timeouts({.tcp_s = 5, .tcp_fin_s = 6, .udp_s = 7}));
  take_picks(web, 7);
  ASSERT_TRUE(first->set_setting("sloppy_tcp", "1"));
  ASSERT_TRUE(first->set_setting("secure_tcp", "3"));
  const auto before = image(tables);
  const auto held = hops.held;

  const auto second = start();
  EXPECT_EQ(image(tables), before);
  EXPECT_EQ(hops.held, held);
  EXPECT_EQ(*second->timeouts(), (api::Timeouts{.tcp_s = 5, .tcp_fin_s = 6, .udp_s = 7}));
  ASSERT_EQ(second->services()->size(), 2U);
  EXPECT_EQ((*second->services())[0].servers.size(), 2U);
}

TEST_F(adoption, a_restart_keeps_every_method_persistence_threshold_rule_and_local_address) {
  const auto first = start();
  const model::ServiceKey all_ports = persistent_service().key;
  ASSERT_TRUE(first->add_local_address(at("10.0.0.250", 0).address));
  ASSERT_TRUE(first->set_setting("nat_icmp_send", "1"));
  model::MarkRule rule;
  rule.destination = *model::parse_prefix("203.0.113.0/24");
  rule.mark = 5;
  ASSERT_TRUE(first->add_mark_rule(rule));
  ASSERT_TRUE(first->add_service(persistent_service()));
  model::RealServer tunneled = by(model::Method::tunnel, "10.0.0.3");
  tunneled.tunnel = {model::TunnelType::gue, 6080, model::TunnelChecksum::checksum};
  ASSERT_TRUE(first->add_server(all_ports, by(model::Method::nat, "10.0.0.1")));
  ASSERT_TRUE(first->add_server(all_ports, by(model::Method::fullnat, "10.0.0.2")));
  ASSERT_TRUE(first->add_server(all_ports, tunneled));
  tables.loads[1].active = 20;
  tables.loads[1].overloaded = 1;
  tables.loads[2].persistent = 4;
  const auto before = image(tables);

  const auto second = start();
  EXPECT_EQ(image(tables), before);
  EXPECT_EQ(tables.loads[1].overloaded, 1U);
  EXPECT_EQ(tables.loads[1].upper_threshold, 20U);
  EXPECT_EQ((*second->services())[0].service, persistent_service());
  EXPECT_EQ((*second->services())[0].servers[0].server, tunneled);
  EXPECT_EQ((*second->services())[0].servers[1].persistent, 4U);
  EXPECT_EQ(tables.settings->nat_icmp_send, 1U);
  EXPECT_EQ(tables.settings->port_zero_services, 1U);
  EXPECT_EQ(tables.settings->tunnel_servers, 1U);
  EXPECT_NE(tables.settings->translating_servers, 0U);
  EXPECT_EQ(second->mark_rules().value(), std::vector{rule});
}

TEST_F(adoption, a_record_with_other_terms_is_published_anew_and_its_schedule_goes_on) {
  auto writer = start();
  two_servers(*writer);
  take_picks(web, 3);
  const ScheduleRef schedule = found(web).schedule;
  for (ServiceBucket& bucket : tables.services)
    for (Service& record : bucket.records)
      if (is_live(record.word)) record.persistence_ticks = 5;
  writer = start();
  EXPECT_EQ(found(web).terms.persistence_ticks, 0U);
  EXPECT_TRUE(is_same(found(web).schedule, schedule));
  EXPECT_EQ(TableWriter(tables).picks_taken(schedule), 3U);
}

TEST_F(adoption, a_schedule_that_is_to_be_read_in_another_way_is_written_anew) {
  auto writer = start();
  two_servers(*writer, "wlc");
  take_picks(web, 3);
  const ScheduleRef schedule = found(web).schedule;
  ScheduleHead head = std::bit_cast<ScheduleHead>(tables.schedules[schedule.offset + schedule_head_cell]);
  head.overhead = Overhead::connections;
  tables.schedules[schedule.offset + schedule_head_cell] = std::bit_cast<u64>(head);
  writer = start();
  const ScheduleRef anew = found(web).schedule;
  EXPECT_FALSE(is_same(anew, schedule));
  head = std::bit_cast<ScheduleHead>(tables.schedules[anew.offset + schedule_head_cell]);
  EXPECT_EQ(head.overhead, Overhead::weighted_connections);
}

// IPVS: mh's table is made of the last weights.
TEST_F(adoption, a_quiesced_server_of_mh_keeps_its_entries) {
  auto writer = start();
  two_servers(*writer, "mh");
  ASSERT_TRUE(writer->edit_server(web, server("10.0.0.1", 0)));
  const std::string before = cells(web);
  EXPECT_NE(before.find("1 "), std::string::npos) << "it has entries";
  const ScheduleRef schedule = found(web).schedule;
  writer = start();
  EXPECT_TRUE(is_same(found(web).schedule, schedule));
  ASSERT_TRUE(writer->add_server(web, server("10.0.0.3")));
  ASSERT_TRUE(writer->delete_server(web, at("10.0.0.3", 80)));
  EXPECT_EQ(cells(web), before);
}

// Restored, because that many are added slowly one by one.
TEST_F(adoption, more_servers_than_mh_has_entries_are_refused) {
  StoredState known;
  StoredService& stored = known.services.emplace_back();
  stored.service = service(web, "rr");
  stored.id = 1;
  known.next_service_id = 2;
  const auto address = [](u32 i) { return "10.1." + std::to_string(i / 256) + "." + std::to_string(i % 256); };
  for (u32 i = 0; i <= schedulers::mh_entries; ++i)
    stored.servers.push_back(
        {.server = server(address(i)), .slot = {.index = i + 1, .generation = 1}, .base = {}, .last_weight = 1});
  ASSERT_TRUE(file->save(known));
  Config config = small_config();
  config.servers_max = 8192;
  NativeTables large(config);
  const auto writer = start(large.view());
  ASSERT_EQ(writer->service(web)->servers.size(), schedulers::mh_entries + 1);

  EXPECT_EQ(writer->edit_service(service(web, "mh")).error().errno_value, EINVAL);
  EXPECT_EQ(writer->service(web)->service.scheduler, "rr");
  ASSERT_TRUE(writer->delete_server(web, at(address(0), 80)));
  ASSERT_TRUE(writer->edit_service(service(web, "mh"))) << "just as many";
  const auto one_more = writer->add_server(web, server("10.2.0.1"));
  ASSERT_FALSE(one_more);
  EXPECT_EQ(one_more.error().errno_value, EINVAL);
  EXPECT_EQ(writer->service(web)->servers.size(), schedulers::mh_entries);
}

TEST_F(adoption, translated_connections_are_found_though_their_server_is_gone) {
  auto writer = start();
  ASSERT_TRUE(writer->add_service(service(web)));
  Connection& record = tables.connections[9].records[1];
  record.key.role = Role::request;
  record.traits = static_cast<u8>(Method::nat);
  record.word = word_live;
  EXPECT_EQ(tables.settings->translating_servers, 0U);
  writer = start();
  EXPECT_NE(tables.settings->translating_servers, 0U);
}

TEST_F(adoption, schedules_go_on_where_they_were) {
  auto writer = start();
  two_servers(*writer);
  ASSERT_TRUE(writer->add_server(web, server("10.0.0.3")));
  EXPECT_EQ(cells(web), "3 2 1 ");
  take_picks(web, 1);
  writer = start();
  take_picks(web, 1);
  ASSERT_TRUE(writer->edit_server(web, server("10.0.0.3", 5)));
  EXPECT_EQ(cells(web), "1 3 2 ") << "3 and 2 were served";
}

TEST_F(adoption, counters_and_connections_survive) {
  auto writer = start();
  two_servers(*writer);
  tables.counters[1].connections = 10;
  tables.counters[2].connections = 5;
  ASSERT_TRUE(writer->zero(web));
  tables.counters[1].connections = 13;
  tables.loads[1].active = 2;
  ASSERT_TRUE(writer->delete_server(web, at("10.0.0.1", 80)));

  writer = start();
  EXPECT_EQ(writer->service(web)->statistics.connections, 3U);
  EXPECT_EQ(writer->service(web)->servers.at(0).statistics.connections, 0U);
  EXPECT_EQ(writer->total_statistics().connections, 18U);
  ASSERT_TRUE(writer->add_server(web, server("10.0.0.1", 2)));
  const api::ServerView again = writer->service(web)->servers.at(0);  // the last that came
  EXPECT_EQ(again.server.endpoint, at("10.0.0.1", 80));
  EXPECT_EQ(again.statistics.connections, 3U);
  EXPECT_EQ(again.active, 2U);
  EXPECT_EQ(writer->service(web)->statistics.connections, 3U);
}

TEST_F(adoption, heals_a_daemon_that_died_between_storing_and_programming) {
  auto writer = start();
  two_servers(*writer);
  // The tables are those of before, the file is that of after.
  NativeTables behind(small_config());
  {
    HandClock time;
    auto same =
        Writer::start({.tables = behind.view(), .next_hops = hops, .clock = time, .store = nullptr, .warn = {}});
    two_servers(**same);
  }
  ASSERT_TRUE(writer->add_server(web, server("10.0.0.3")));
  ASSERT_TRUE(writer->delete_server(web, at("10.0.0.1", 80)));
  ASSERT_TRUE(writer->add_service(service(other)));
  writer.reset();

  writer = start(behind.view());
  const std::vector<u64> healed = image(behind.view());
  ASSERT_EQ(TableWriter(behind.view()).services().size(), 2U);
  EXPECT_EQ(read(behind.view().servers[1].route).available, 0) << "10.0.0.1 was removed";
  EXPECT_EQ(read(behind.view().servers[3].route).available, 1) << "10.0.0.3 was added";
  start(behind.view());
  EXPECT_EQ(image(behind.view()), healed) << "once is enough";
}

TEST_F(adoption, heals_a_daemon_whose_file_is_behind_its_tables) {
  auto writer = start();
  two_servers(*writer);
  std::filesystem::copy_file(file->path(), file->path() + ".old");
  ASSERT_TRUE(writer->add_server(web, server("10.0.0.3")));
  ASSERT_TRUE(writer->add_service(service(other)));
  tables.loads[3].active = 4;
  std::filesystem::rename(file->path() + ".old", file->path());

  writer = start();
  EXPECT_EQ(TableWriter(tables).services().size(), 1U);
  EXPECT_EQ(cells(web), "2 1 ");
  EXPECT_EQ(read(tables.servers[3].route).available, 0);
  const u16 generation = read(tables.servers[3].route).generation;
  ASSERT_TRUE(writer->add_server(web, server("10.0.0.4")));
  EXPECT_EQ(read(tables.servers[3].route).available, 0) << "connections still refer to the slot";
  tables.loads[3].active = 0;
  ASSERT_TRUE(writer->add_server(web, server("10.0.0.5")));
  EXPECT_NE(read(tables.servers[3].route).generation, generation);
}

TEST_F(adoption, fresh_tables_are_programmed_and_count_from_zero) {
  auto writer = start();
  two_servers(*writer);
  tables.counters[1].connections = 10;
  ASSERT_TRUE(writer->zero(web));
  ASSERT_TRUE(writer->delete_server(web, at("10.0.0.1", 80)));

  NativeTables fresh(other_secret());
  writer = start(fresh.view());
  EXPECT_EQ(TableWriter(fresh.view()).services().size(), 1U);
  EXPECT_EQ(writer->service(web)->statistics.connections, 0U);
  fresh.view().counters[1].connections = 1;
  EXPECT_EQ(writer->service(web)->statistics.connections, 1U);
  EXPECT_EQ(writer->total_statistics().connections, 1U);
  writer = start(fresh.view());
  EXPECT_EQ(writer->service(web)->statistics.connections, 1U) << "and from then on they are the same tables";
}

TEST_F(adoption, without_its_file_nothing_is_left_in_the_tables) {
  auto writer = start();
  two_servers(*writer);
  tables.loads[1].active = 1;
  std::filesystem::remove(file->path());
  writer = start();
  EXPECT_TRUE(TableWriter(tables).services().empty());
  for (u32 slot = 1; slot < tables.servers.size(); ++slot) ASSERT_EQ(tables.servers[slot].route.available, 0);
  two_servers(*writer);
  EXPECT_EQ(read(tables.servers[1].route).available, 0) << "it has a connection of a server that nobody knows";
}

TEST_F(adoption, garbage_in_the_file_stops_the_start_and_touches_no_table) {
  {
    const auto writer = start();
    two_servers(*writer);
  }
  std::filesystem::resize_file(file->path(), std::filesystem::file_size(file->path()) / 2);
  const auto before = image(tables);
  const auto refused =
      Writer::start({.tables = tables, .next_hops = hops, .clock = clock, .store = file.get(), .warn = {}});
  ASSERT_FALSE(refused);
  EXPECT_NE(refused.error().message.find(file->path()), std::string::npos);
  EXPECT_EQ(image(tables), before);
}

TEST_F(adoption, a_command_that_cannot_be_stored_changes_nothing) {
  const auto writer = start();
  two_servers(*writer);
  const auto before = image(tables);
  const auto held = hops.held;
  std::filesystem::remove_all(directory);
  EXPECT_FALSE(writer->add_service(service(other)));
  EXPECT_FALSE(writer->add_server(web, server("10.0.0.3")));
  EXPECT_FALSE(writer->edit_server(web, server("10.0.0.1", 0)));
  EXPECT_FALSE(writer->delete_server(web, at("10.0.0.1", 80)));
  EXPECT_FALSE(writer->set_timeouts({.tcp_s = 1, .tcp_fin_s = 1, .udp_s = 1}));
  EXPECT_FALSE(writer->zero(web));
  EXPECT_FALSE(writer->flush());
  EXPECT_EQ(image(tables), before);
  EXPECT_EQ(hops.held, held);
  EXPECT_EQ(writer->services()->size(), 1U);
}

}  // namespace
}  // namespace penstock::control
