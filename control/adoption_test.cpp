// A daemon ends, at any point of its work, and another takes over: the same tables, the same file.
#include "control/adoption.hpp"

#include <filesystem>

#include "control/flip.hpp"
#include "control/images.hpp"
#include "control/writer_test_world.hpp"

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

// All that the packet path could tell apart, but for next hops, which belong to the new daemon.
std::vector<u64> image(const Tables& tables) {
  std::vector<u64> words;
  const auto append = [&](const auto& rows) {
    const auto* from = reinterpret_cast<const u64*>(rows.data());
    words.insert(words.end(), from, from + rows.size_bytes() / sizeof(u64));
  };
  append(tables.services);
  append(tables.servers);
  append(tables.schedules);
  append(std::span<const u64>(tables.vip_filter->bits));
  append(std::span<const Settings>(tables.settings, 1));
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
  tables.settings->sloppy_tcp = 1;
  const auto before = image(tables);
  const auto held = hops.held;

  const auto second = start();
  EXPECT_EQ(image(tables), before);
  EXPECT_EQ(hops.held, held);
  EXPECT_EQ(*second->timeouts(), (api::Timeouts{.tcp_s = 5, .tcp_fin_s = 6, .udp_s = 7}));
  ASSERT_EQ(second->services()->size(), 2U);
  EXPECT_EQ((*second->services())[0].servers.size(), 2U);
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
  tables.counters[0].connections = 10;
  tables.counters[1].connections = 5;
  ASSERT_TRUE(writer->zero(web));
  tables.counters[0].connections = 13;
  tables.loads[0].active = 2;
  ASSERT_TRUE(writer->delete_server(web, at("10.0.0.1", 80)));

  writer = start();
  EXPECT_EQ(writer->service(web)->statistics.connections, 3U);
  EXPECT_EQ(writer->service(web)->servers[0].statistics.connections, 0U);
  EXPECT_EQ(writer->total_statistics().connections, 18U);
  ASSERT_TRUE(writer->add_server(web, server("10.0.0.1", 2)));
  EXPECT_EQ(writer->service(web)->servers[0].statistics.connections, 3U);
  EXPECT_EQ(writer->service(web)->servers[0].active, 2U);
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
  EXPECT_EQ(read(behind.view().servers[0].route).available, 0) << "10.0.0.1 was removed";
  EXPECT_EQ(read(behind.view().servers[2].route).available, 1) << "10.0.0.3 was added";
  start(behind.view());
  EXPECT_EQ(image(behind.view()), healed) << "once is enough";
}

TEST_F(adoption, heals_a_daemon_whose_file_is_behind_its_tables) {
  auto writer = start();
  two_servers(*writer);
  std::filesystem::copy_file(file->path(), file->path() + ".old");
  ASSERT_TRUE(writer->add_server(web, server("10.0.0.3")));
  ASSERT_TRUE(writer->add_service(service(other)));
  tables.loads[2].active = 4;
  std::filesystem::rename(file->path() + ".old", file->path());

  writer = start();
  EXPECT_EQ(TableWriter(tables).services().size(), 1U);
  EXPECT_EQ(cells(web), "2 1 ");
  EXPECT_EQ(read(tables.servers[2].route).available, 0);
  const u16 generation = read(tables.servers[2].route).generation;
  ASSERT_TRUE(writer->add_server(web, server("10.0.0.4")));
  EXPECT_EQ(read(tables.servers[2].route).available, 0) << "connections still refer to the slot";
  tables.loads[2].active = 0;
  ASSERT_TRUE(writer->add_server(web, server("10.0.0.5")));
  EXPECT_NE(read(tables.servers[2].route).generation, generation);
}

TEST_F(adoption, fresh_tables_are_programmed_and_count_from_zero) {
  auto writer = start();
  two_servers(*writer);
  tables.counters[0].connections = 10;
  ASSERT_TRUE(writer->zero(web));
  ASSERT_TRUE(writer->delete_server(web, at("10.0.0.1", 80)));

  NativeTables fresh(other_secret());
  writer = start(fresh.view());
  EXPECT_EQ(TableWriter(fresh.view()).services().size(), 1U);
  EXPECT_EQ(writer->service(web)->statistics.connections, 0U);
  fresh.view().counters[0].connections = 1;
  EXPECT_EQ(writer->service(web)->statistics.connections, 1U);
  EXPECT_EQ(writer->total_statistics().connections, 1U);
  writer = start(fresh.view());
  EXPECT_EQ(writer->service(web)->statistics.connections, 1U) << "and from then on they are the same tables";
}

TEST_F(adoption, without_its_file_nothing_is_left_in_the_tables) {
  auto writer = start();
  two_servers(*writer);
  tables.loads[0].active = 1;
  std::filesystem::remove(file->path());
  writer = start();
  EXPECT_TRUE(TableWriter(tables).services().empty());
  for (const RealServer& row : tables.servers) ASSERT_EQ(row.route.available, 0);
  two_servers(*writer);
  EXPECT_EQ(read(tables.servers[0].route).available, 0) << "it has a connection of a server that nobody knows";
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
