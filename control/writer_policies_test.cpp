// Settings, mark rules and local addresses through the writer: into the tables, into the store, and back from it.
#include <algorithm>
#include <cerrno>
#include <filesystem>

#include "control/images.hpp"
#include "control/writer_test_world.hpp"
#include "datapath/core/hash.hpp"
#include "datapath/core/states.hpp"

namespace penstock::control {
namespace {

model::MarkRule rule(std::uint32_t mark) {
  model::MarkRule made;
  made.protocol = model::Protocol::tcp;
  made.destination = *model::parse_prefix("203.0.113.0/24");
  made.mark = mark;
  return made;
}

class writer_policies : public testing::Test {
 protected:
  writer_policies() {
    char name[] = "/tmp/penstock-writer-XXXXXX";
    directory = ::mkdtemp(name);
    store = std::make_unique<Store>(directory + "/state.json");
    start();
  }
  ~writer_policies() override { std::filesystem::remove_all(directory); }

  // Ends the daemon, if there is one, and starts its successor over the same tables.
  void start() {
    made.reset();
    auto started = Writer::start({.tables = tables,
                                  .next_hops = hops,
                                  .clock = clock,
                                  .store = store.get(),
                                  .warn = {},
                                  .available_pages = [this] { return pages; }});
    ASSERT_TRUE(started) << started.error().message;
    made = std::move(*started);
  }

  [[nodiscard]] const Settings& live() const { return *tables.settings; }
  [[nodiscard]] u32 first_state() const {
    return next_state(
        machine_of(live(), Machine::tcp).next[static_cast<u32>(Direction::input_only)][static_cast<u32>(TcpEvent::syn)],
        0);
  }

  NativeTables owner{small_config()};
  Tables& tables = owner.view();
  CountedHops hops;
  HandClock clock;
  u64 pages = plenty_of_pages;
  std::string directory;
  std::unique_ptr<Store> store;
  std::unique_ptr<Writer> made;
};

TEST_F(writer_policies, a_setting_holds_at_once_and_after_a_restart) {
  ASSERT_TRUE(made->set_setting("net.ipv4.vs.sloppy_tcp", "1"));
  ASSERT_TRUE(made->set_setting("sync_threshold", "5 60"));
  EXPECT_EQ(live().sloppy_tcp, 1U);
  EXPECT_EQ(made->set_setting("secure_tcp", "4").error().errno_value, EINVAL);
  EXPECT_EQ(made->set_setting("nosuch", "4").error().errno_value, ENOENT);
  const auto before = made->settings().value();
  start();
  EXPECT_EQ(made->settings().value(), before);
  EXPECT_EQ(live().sloppy_tcp, 1U);
  ASSERT_TRUE(made->set_setting("sloppy_tcp", "0"));
  EXPECT_EQ(live().sloppy_tcp, 0U);
}

TEST_F(writer_policies, a_successor_of_a_daemon_that_died_between_storing_and_writing_writes) {
  ASSERT_TRUE(made->set_setting("sloppy_tcp", "1"));
  ASSERT_TRUE(made->add_mark_rule(rule(5)));
  ASSERT_TRUE(made->add_local_address(at("10.0.0.250", 0).address));
  tables.settings->sloppy_tcp = 0;
  tables.settings->mark_rules = 0;
  tables.local_pool->count[0] = 0;
  start();
  EXPECT_EQ(live().sloppy_tcp, 1U);
  EXPECT_EQ(live().mark_rules, 1U);
  EXPECT_EQ(tables.mark_rules->rules[0].mark, 5U);
  EXPECT_EQ(tables.local_pool->count[0], 1U);
}

TEST_F(writer_policies, the_defences_follow_memory_with_each_tick) {
  ASSERT_TRUE(made->set_setting("secure_tcp", "1"));
  ASSERT_TRUE(made->set_setting("drop_packet", "1"));
  ASSERT_TRUE(made->set_setting("drop_entry", "1"));
  EXPECT_EQ(first_state(), static_cast<u32>(TcpState::syn_recv));
  pages = 512;
  made->tick();
  EXPECT_EQ(first_state(), static_cast<u32>(TcpState::synack));
  EXPECT_EQ(live().drop_rate, 2U);
  EXPECT_EQ(live().drop_entry, 1U);
  pages = plenty_of_pages;
  made->tick();
  EXPECT_EQ(first_state(), static_cast<u32>(TcpState::syn_recv));
  EXPECT_EQ(live().drop_rate, 0U);
  EXPECT_EQ(live().drop_entry, 0U);
}

TEST_F(writer_policies, mark_rules_come_go_and_stay) {
  ASSERT_TRUE(made->add_mark_rule(rule(5)));
  ASSERT_TRUE(made->add_mark_rule(rule(6)));
  EXPECT_EQ(made->add_mark_rule(rule(6)).error().errno_value, EEXIST);
  EXPECT_EQ(made->delete_mark_rule(rule(7)).error().errno_value, ENOENT);
  EXPECT_EQ(live().mark_rules, 2U);
  start();
  EXPECT_EQ(made->mark_rules().value(), (std::vector{rule(5), rule(6)}));
  ASSERT_TRUE(made->delete_mark_rule(rule(5)));
  ASSERT_TRUE(made->flush());
  EXPECT_EQ(made->mark_rules().value(), std::vector{rule(6)}) << "ipvsadm -C leaves them, as it leaves iptables";
  ASSERT_TRUE(made->delete_mark_rule(rule(6)));
  EXPECT_EQ(live().mark_rules, 0U);
}

TEST_F(writer_policies, fullnat_needs_a_local_address_for_as_long_as_it_is_there) {
  const model::ServiceKey web = tcp("192.0.2.1", 80);
  const model::Address local = at("10.0.0.250", 0).address;
  model::RealServer behind = server("10.0.0.1");
  behind.method = model::Method::fullnat;
  ASSERT_TRUE(made->add_service(service(web)));
  const auto refused = made->add_server(web, behind);
  ASSERT_FALSE(refused);
  EXPECT_NE(refused.error().message.find("penstock local add"), std::string::npos) << refused.error().message;
  ASSERT_TRUE(made->add_local_address(local));
  ASSERT_TRUE(made->add_server(web, behind));
  start();
  EXPECT_EQ(made->service(web)->servers.at(0).server, behind);
  EXPECT_EQ(made->local_addresses().value(), std::vector{local});
  EXPECT_EQ(made->delete_local_address(local).error().errno_value, EBUSY);
  ASSERT_TRUE(made->delete_server(web, behind.endpoint));
  ASSERT_TRUE(made->delete_local_address(local));
  EXPECT_EQ(tables.local_pool->count[0], 0U);
}

TEST_F(writer_policies, fullnat_leads_from_an_ipv6_service_to_ipv4_servers) {
  const model::ServiceKey web = tcp("2001:db8::1", 80);
  model::RealServer behind = server("10.0.0.1");
  behind.method = model::Method::fullnat;
  ASSERT_TRUE(made->add_service(service(web)));
  ASSERT_TRUE(made->add_local_address(at("fd00::250", 0).address));
  EXPECT_FALSE(made->add_server(web, behind)) << "a local address of the server's family is wanted";
  ASSERT_TRUE(made->add_local_address(at("10.0.0.250", 0).address));
  ASSERT_TRUE(made->add_server(web, behind));
  start();
  EXPECT_EQ(made->service(web)->servers.at(0).server, behind);
  const AddressImage address = image_of(behind.endpoint.address);
  const auto row =
      std::ranges::find_if(tables.servers, [&](const RealServer& r) { return r.address.low == address.low; });
  ASSERT_NE(row, tables.servers.end());
  EXPECT_EQ(row->family, Family::ipv4);
  EXPECT_EQ(row->route.method, Method::fullnat);
  const u32 bit = vip_filter_bit(address);
  EXPECT_NE(tables.vip_filter->servers[bit / 64] >> (bit % 64) & 1, 0U) << "its replies are to be looked at";
}

TEST_F(writer_policies, connections_of_what_was_deleted_still_pass_the_gate) {
  const model::Address local = at("10.0.0.250", 0).address;
  const u32 bit = vip_filter_bit(image_of(local));
  const u32 marked = static_cast<u16>(image_of(at("203.0.113.0", 0).address).low);
  const auto is_local = [&] { return (tables.vip_filter->bits[bit / 64] >> (bit % 64) & 1) != 0; };
  const auto is_marked = [&] { return (tables.vip_filter->marked[0][marked / 64] >> (marked % 64) & 1) != 0; };
  ASSERT_TRUE(made->add_service(service(tcp("192.0.2.1", 80))));
  EXPECT_FALSE(is_local() || is_marked());
  ASSERT_TRUE(made->add_local_address(local));
  ASSERT_TRUE(made->add_mark_rule(rule(5)));
  EXPECT_TRUE(is_local() && is_marked());
  ASSERT_TRUE(made->delete_local_address(local));
  ASSERT_TRUE(made->delete_mark_rule(rule(5)));
  EXPECT_TRUE(is_local() && is_marked());
  start();
  EXPECT_TRUE(is_local()) << "it still has its place in the pool";
  EXPECT_FALSE(is_marked());
  ASSERT_TRUE(made->flush());
  EXPECT_FALSE(is_local()) << "without a service nothing is ours";
}

TEST_F(writer_policies, everything_about_services_and_servers_survives) {
  model::Service persistent = service(tcp("192.0.2.1", 0), "sh");
  persistent.flags = model::service_flag::persistent | model::service_flag::sched_1;
  persistent.persistence_timeout_s = 77;
  persistent.netmask = 0xffffff00;
  model::Service marked = service({model::Protocol::tcp, at("0.0.0.0", 0), 5}, "wlc");
  model::RealServer limited = server("10.0.0.1", 3);
  limited.upper_threshold = 20;
  limited.lower_threshold = 10;
  model::RealServer tunneled = server("10.0.0.2");
  tunneled.method = model::Method::tunnel;
  tunneled.tunnel = {model::TunnelType::gue, 6080, model::TunnelChecksum::checksum};
  ASSERT_TRUE(made->add_service(persistent));
  ASSERT_TRUE(made->add_service(marked));
  ASSERT_TRUE(made->add_server(persistent.key, limited));
  ASSERT_TRUE(made->add_server(marked.key, tunneled));
  start();
  const auto services = made->services().value();
  ASSERT_EQ(services.size(), 2U);
  EXPECT_EQ(services[0].service, persistent);
  EXPECT_EQ(services[0].servers.at(0).server, limited);
  EXPECT_EQ(services[1].service, marked);
  EXPECT_EQ(services[1].servers.at(0).server, tunneled);
}

}  // namespace
}  // namespace penstock::control
