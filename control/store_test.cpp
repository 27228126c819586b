#include "control/store.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "control/writer_test_world.hpp"

namespace penstock::control {
namespace {

using nlohmann::json;

StoredState example() {
  StoredState state;
  state.tables = 0xfedcba9876543210ULL;
  state.next_service_id = 9;
  state.slots_end = 5;
  state.total_base = {.connections = 1, .in_packets = 2, .out_packets = 3, .in_bytes = 4, .out_bytes = ~0ULL};
  state.timeouts = {.tcp_s = 1, .tcp_fin_s = 2, .udp_s = 3};
  StoredService web;
  web.service = service(tcp("192.0.2.1", 80), "wrr");
  web.id = 7;
  web.schedule = {.cursor = -1, .current_weight = 3};
  web.carried.connections = ~0ULL - 5;
  web.servers.push_back({server("10.0.0.2", 4), {.index = 3, .generation = 0xffff}, {}});
  web.servers.push_back({server("10.0.0.1", 0), {.index = 4, .generation = 1}, {}});
  web.servers[0].base.in_bytes = 1ULL << 63;
  web.service.flags = model::service_flag::persistent | model::service_flag::sched_1;
  web.service.persistence_timeout_s = 360;
  web.service.netmask = 0xffffff00;
  web.servers[0].server.method = model::Method::fullnat;
  web.servers[0].last_weight = 5;
  web.servers[0].server.upper_threshold = 100;
  web.servers[0].server.lower_threshold = 50;
  web.servers[1].server.method = model::Method::tunnel;
  web.servers[1].server.tunnel = {model::TunnelType::gue, 6080, model::TunnelChecksum::remote_checksum};
  state.services.push_back(web);
  StoredService web6;
  web6.service = service(tcp("2001:db8::1", 443));
  web6.service.key.protocol = model::Protocol::udp;
  web6.id = 8;
  state.services.push_back(web6);
  StoredService marked;
  marked.service.key.fwmark = 4294967295U;
  marked.service.scheduler = "mh";
  marked.id = 6;
  state.services.push_back(marked);
  state.settings = {{"sloppy_tcp", "1"}, {"sync_threshold", "5\t60"}};
  model::MarkRule rule;
  state.mark_rules.push_back(rule);
  rule.protocol = model::Protocol::sctp;
  rule.family = model::Family::ipv6;
  rule.source = *model::parse_prefix("2001:db8::/32");
  rule.destination = *model::parse_prefix("2001:db8:1::/48");
  rule.source_ports = {{1024, 65535}};
  rule.destination_ports = {{80, 80}, {8000, 8080}};
  rule.mark = 4294967295U;
  state.mark_rules.push_back(rule);
  state.local_addresses = {*model::parse_address("10.0.0.250"), *model::parse_address("fd00::250")};
  state.retired.push_back({{tcp("192.0.2.1", 80), at("10.0.0.9", 80)}, {.index = 1, .generation = 2}, 7, {}});
  return state;
}

class store : public testing::Test {
 protected:
  store() {
    char name[] = "/tmp/penstock-store-XXXXXX";
    directory = ::mkdtemp(name);
    path = directory + "/state.json";
  }
  ~store() override { std::filesystem::remove_all(directory); }

  void write(const std::string& text) const { std::ofstream(path) << text; }

  std::string directory;
  std::string path;
};

TEST(store_codec, gives_back_what_it_was_given) {
  const std::string text = encode(example());
  const auto back = decode(text);
  ASSERT_TRUE(back) << back.error().message;
  EXPECT_EQ(encode(*back), text);
  EXPECT_EQ(back->tables, 0xfedcba9876543210ULL);
  EXPECT_EQ(back->services[0].carried.connections, ~0ULL - 5);
  EXPECT_EQ(back->services[0].service, example().services[0].service);
  EXPECT_EQ(back->services[0].servers[0].server, example().services[0].servers[0].server);
  EXPECT_EQ(back->services[1].service.key, example().services[1].service.key);
  EXPECT_EQ(back->services[0].servers[0].last_weight, 5);
  EXPECT_EQ(back->services[0].servers[1].server, example().services[0].servers[1].server);
  EXPECT_EQ(back->services[2].service, example().services[2].service);
  EXPECT_EQ(back->settings, example().settings);
  EXPECT_EQ(back->mark_rules, example().mark_rules);
  EXPECT_EQ(back->local_addresses, example().local_addresses);
  EXPECT_EQ(back->retired[0].owner, example().retired[0].owner);
}

struct Damage {
  const char* pointer;  // RFC 6901
  json value;
  const char* says;
};

const Damage damages[] = {
    {"/version", 3, "version: is 3, this daemon reads 1 to 2"},
    {"/version", 0, "version: is 0, this daemon reads 1 to 2"},
    {"/services/0/servers/0/method", 4, "services[0].servers[0].method: not a number that means something here"},
    {"/services/0/servers/1/tunnel_type", 3, "services[0].servers[1].tunnel_type: not a number that means something"},
    {"/services/0/servers/1/tunnel_checksum", 3, "services[0].servers[1].tunnel_checksum: not a number that means"},
    {"/services/0/servers/1/tunnel_port", 0, "a GUE tunnel needs a port"},
    {"/settings/sloppy_tcp", "no", "settings.sloppy_tcp: setting sloppy_tcp to \"no\": a number from 0"},
    {"/settings/sloppy_tcp", 1, "settings.sloppy_tcp: not a text"},
    {"/settings", json::array(), "settings: not an object"},
    {"/mark_rules/1/family", 5, "mark_rules[1].family: not a number that means something here"},
    {"/mark_rules/1/protocol", 1, "mark_rules[1].protocol: not a number that means something here"},
    {"/mark_rules/1/protocol", 0, "ports need a protocol"},
    {"/mark_rules/1/source", "2001:db8::/129", "mark_rules[1].source: not a block of addresses"},
    {"/mark_rules/1/source_ports", "1024:", "mark_rules[1].source_ports: not ports"},
    {"/local_addresses/0", "10.0.0", "local_addresses[0]: not an address"},
    {"/local_addresses/0", "224.0.0.1", "not an address that real servers could answer to"},
    {"/local_addresses/0", "fd00::250", "it exists already"},
    {"/local_addresses/0", "fd00::251", "fullnat needs a local IPv4 address"},
    {"/services", 5, "services: not a list"},
    {"/services/0/servers/1/slot/index", -1, "services[0].servers[1].slot.index: too small"},
    {"/services/0/servers/1/slot/generation", 65536, "services[0].servers[1].slot.generation: too large"},
    {"/services/0/servers/0/weight", 1.5, "services[0].servers[0].weight: not a whole number"},
    {"/services/0/servers/0/weight", -1, "a weight is not negative"},
    {"/services/0/servers/0/endpoint/address", "10.0.0", "services[0].servers[0].endpoint.address: not an address"},
    {"/services/0/key/protocol", "icmp", "services[0].key.protocol: not a protocol"},
    {"/services/0/scheduler", "nosuch", "no scheduler nosuch"},
    {"/services/0/scheduler", json::array(), "services[0].scheduler: not a text"},
    {"/services/0/servers/1/slot/index", 3, "slot 3 has two owners"},
    {"/retired/0/slot/index", 3, "slot 3 has two owners"},
    {"/services/1/id", 7, "service id 7 has two owners"},
    {"/next_service_id", 8, "service id 8 is yet to come"},
    {"/services/0/servers/1/endpoint/address", "10.0.0.2", "it exists already"},
};

TEST(store_codec, says_where_a_document_is_wrong) {
  for (const Damage& damage : damages) {
    SCOPED_TRACE(damage.pointer);
    json document = json::parse(encode(example()));
    document.at(json::json_pointer(damage.pointer)) = damage.value;
    const auto refused = decode(document.dump());
    ASSERT_FALSE(refused);
    EXPECT_NE(refused.error().message.find(damage.says), std::string::npos) << refused.error().message;
  }
}

TEST(store_codec, reads_what_the_first_version_wrote) {
  json document = json::parse(encode(example()));
  document["version"] = 1;
  for (const char* later : {"settings", "mark_rules", "local_addresses"}) document.erase(later);
  for (json& server : document["services"][0]["servers"]) server.erase("last_weight");
  document["services"][0]["servers"][0]["method"] = 3;
  const auto read = decode(document.dump());
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(read->services.size(), 3U);
  EXPECT_EQ(read->services[0].servers[0].last_weight, 4);
  EXPECT_TRUE(read->settings.empty() && read->mark_rules.empty() && read->local_addresses.empty());
}

TEST(store_codec, refuses_every_truncation_and_every_missing_member) {
  const std::string text = encode(example());
  for (std::size_t length = 0; length + 2 < text.size(); ++length)
    ASSERT_FALSE(decode(text.substr(0, length))) << length;
  const json document = json::parse(text);
  const json flat = document.flatten();
  for (const auto& [path, value] : flat.items()) {
    json without = document;
    const json::json_pointer pointer(path);
    json& parent = without.at(pointer.parent_pointer());
    const bool may_be_missing = pointer.parent_pointer() == json::json_pointer("/settings");  // it has its default
    if (!parent.is_object() || may_be_missing) continue;
    parent.erase(pointer.back());
    EXPECT_FALSE(decode(without.dump())) << path;
  }
}

TEST_F(store, no_file_is_no_state) {
  const auto loaded = Store(path).load();
  ASSERT_TRUE(loaded);
  EXPECT_FALSE(loaded->has_value());
}

TEST_F(store, keeps_what_was_saved_for_root_alone_and_nothing_beside) {
  ASSERT_TRUE(Store(path).save(example()));
  ASSERT_TRUE(Store(path).save(example())) << "replaces";
  const auto loaded = Store(path).load();
  ASSERT_TRUE(loaded && loaded->has_value());
  EXPECT_EQ(encode(**loaded), encode(example()));
  struct stat status{};
  ASSERT_EQ(::stat(path.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777U, 0600U);
  EXPECT_FALSE(std::filesystem::exists(path + ".new"));
}

TEST_F(store, garbage_is_an_error_that_names_the_file_and_stays_where_it_is) {
  write("{\"version\": 1, ");
  const auto loaded = Store(path).load();
  ASSERT_FALSE(loaded);
  EXPECT_EQ(loaded.error().code, ErrorCode::invalid_argument);
  EXPECT_NE(loaded.error().message.find("reading " + path), std::string::npos) << loaded.error().message;
  EXPECT_TRUE(std::filesystem::exists(path));
}

TEST_F(store, a_save_that_fails_leaves_the_old_file) {
  ASSERT_TRUE(Store(path).save(example()));
  std::filesystem::create_directory(path + ".new");
  const auto refused = Store(path).save({});
  ASSERT_FALSE(refused);
  EXPECT_NE(refused.error().message.find(path + ".new"), std::string::npos);
  EXPECT_EQ(encode(**Store(path).load()), encode(example()));
}

}  // namespace
}  // namespace penstock::control
