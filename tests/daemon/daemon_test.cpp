// penstockd as an operator meets it: started, killed, started again, misused.
#include <bpf/bpf.h>
#include <gmock/gmock.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <random>

#include "api/client.hpp"
#include "api/frame.hpp"
#include "control/data_plane.hpp"
#include "control/sizes.hpp"
#include "control/xdp_link.hpp"
#include "tests/daemon/world.hpp"

namespace penstock::tests {
namespace {

using testing::HasSubstr;

model::Endpoint endpoint(const char* address, std::uint16_t port) { return {*model::parse_address(address), port}; }

const model::ServiceKey dns{model::Protocol::udp, endpoint("10.9.0.100", 53), 0};

class Daemon : public World {
 protected:
  void add_dns() {
    const auto director = client();
    model::Service service;
    service.key = dns;
    service.scheduler = "rr";
    auto added = director->add_service(service);
    ASSERT_TRUE(added) << added.error().message;
    model::RealServer server;
    server.endpoint = endpoint("10.9.0.2", 53);
    added = director->add_server(dns, server);
    ASSERT_TRUE(added) << added.error().message;
  }

  // One datagram of one client: a connection that is made once.
  bool send_datagram() const { return in_peer("exec 3<>/dev/udp/10.9.0.100/53; echo question >&3"); }

  std::size_t count_connections() const {
    std::size_t count = 0;
    EXPECT_TRUE(client()->connections([&](const api::ConnectionView&) { ++count; }));
    return count;
  }

  std::uint64_t packets_in() const {
    const auto view = client()->service(dns);
    return view ? view->statistics.in_packets : 0;
  }

  bool has_xdp(const char* interface) const {
    return shell(std::string("ip link show ") + interface + " | grep -q xdp");
  }

  bool has_filter(const char* interface) const {
    return shell(std::string("tc filter show dev ") + interface + " ingress | grep -q penstock_tc");
  }

  // On a veth, with --mode auto.
  bool is_served(const char* interface) const { return has_filter(interface) && !has_xdp(interface); }

  std::string pins() const { return control::pin_directory(bpffs(), *control::own_network_namespace()); }
};

TEST_F(Daemon, killed_and_started_again_goes_on_with_services_connections_and_counters) {
  auto first = start_serving_daemon();
  add_dns();
  ASSERT_TRUE(comes_true([&] { return send_datagram() && count_connections() > 0; })) << log();
  const std::size_t connections = count_connections();
  const std::uint64_t before = packets_in();
  EXPECT_GE(before, 1U);

  first.signal(SIGKILL);
  EXPECT_EQ(first.wait(), 128 + SIGKILL);
  EXPECT_TRUE(is_served("eth0")) << "the packet path outlives the daemon";
  ASSERT_TRUE(send_datagram());

  auto second = start_serving_daemon();
  EXPECT_THAT(log(), HasSubstr("adopting the tables"));
  EXPECT_THAT(log(), HasSubstr("eth0: program replaced"));
  ASSERT_TRUE(client()->service(dns)) << "the service is known again";
  EXPECT_GE(count_connections(), connections);
  EXPECT_GT(packets_in(), before) << "what came in meanwhile was forwarded and counted";
}

TEST_F(Daemon, adopted_tables_keep_their_size_and_the_operator_is_told) {
  auto first = start_serving_daemon();
  const auto buckets = client()->info()->connection_buckets;
  first.signal(SIGTERM);
  EXPECT_EQ(first.wait(), 0);
  auto second = start_serving_daemon({"--connections-bytes", "8M"});
  EXPECT_EQ(client()->info()->connection_buckets, buckets);
  EXPECT_THAT(log(), HasSubstr("the adopted tables keep their sizes"));
}

TEST_F(Daemon, ends_on_sigterm_and_leaves_the_packet_path_until_unload) {
  auto daemon = start_serving_daemon();
  daemon.signal(SIGTERM);
  EXPECT_EQ(daemon.wait(), 0);
  EXPECT_THAT(log(), HasSubstr("the packet path goes on serving"));
  EXPECT_FALSE(std::filesystem::exists(socket_path()));
  EXPECT_TRUE(is_served("eth0"));
  EXPECT_EQ(start_daemon({"--unload"}).wait(), 0) << log();
  EXPECT_FALSE(is_served("eth0"));
  EXPECT_FALSE(std::filesystem::exists(pins()));
  EXPECT_EQ(start_daemon({"--unload"}).wait(), 0) << "nothing to unload is no error";
}

TEST_F(Daemon, second_daemon_and_unload_are_refused_while_one_runs) {
  auto first = start_serving_daemon();
  for (const std::vector<std::string>& options : {std::vector<std::string>{}, {"--unload"}}) {
    EXPECT_EQ(start_daemon(options).wait(), 1);
    EXPECT_THAT(log(), HasSubstr("already runs in this network namespace (process " + std::to_string(first.pid())));
  }
  EXPECT_TRUE(client()->info());
}

TEST_F(Daemon, unknown_interface_is_refused_and_those_that_exist_are_named) {
  EXPECT_EQ(start_daemon({"--interface", "eth9"}).wait(), 1);
  EXPECT_THAT(log(), HasSubstr("--interface eth9: there is no such interface"));
  EXPECT_THAT(log(), HasSubstr("lo, eth0"));
}

TEST_F(Daemon, a_tunnel_device_is_refused_by_name_and_left_alone_otherwise) {
  if (!shell("ip tuntap add tun0 mode tun && ip link set tun0 up")) GTEST_SKIP() << "this kernel makes no tun device";
  EXPECT_EQ(start_daemon({"--interface", "tun0"}).wait(), 1);
  EXPECT_THAT(log(), HasSubstr("attaching to tun0: it is no Ethernet interface"));
  auto daemon = start_serving_daemon();
  EXPECT_TRUE(has_filter("eth0"));
  EXPECT_FALSE(has_filter("tun0") || has_xdp("tun0"));
}

TEST_F(Daemon, another_xdp_program_on_the_interface_is_named) {
  auto other = control::load(*control::config_of({.connections_bytes = 1 << 20}, *control::counter_rows()));
  ASSERT_TRUE(other) << other.error().message;
  const auto held = control::attach_xdp(other->program(), {.index = 2, .name = "eth0"}, Hook::generic);
  ASSERT_TRUE(held) << held.error().message;
  EXPECT_EQ(start_daemon({"--interface", "eth0", "--mode", "generic"}).wait(), 1);
  EXPECT_THAT(log(), HasSubstr("another XDP program, \"penstock_xdp\""));
}

TEST_F(Daemon, interface_that_comes_later_is_served_and_one_that_comes_back_again) {
  auto daemon = start_serving_daemon();
  for (int time = 0; time < 2; ++time) {
    ASSERT_TRUE(shell("ip link add late0 type veth peer name late1 && ip link set late0 up"));
    EXPECT_TRUE(comes_true([&] { return is_served("late0"); })) << log();
    ASSERT_TRUE(shell("ip link del late0"));
  }
  EXPECT_FALSE(is_served("lo"));
}

TEST_F(Daemon, only_named_interfaces_are_served) {
  ASSERT_TRUE(shell("ip link add other0 type veth peer name other1 && ip link set other0 up"));
  auto daemon = start_serving_daemon({"--interface", "eth0", "--mode", "native"});
  EXPECT_TRUE(has_xdp("eth0"));
  EXPECT_FALSE(has_xdp("other0"));
  EXPECT_THAT(log(), HasSubstr("eth0: attached, native XDP"));
}

TEST_F(Daemon, tables_of_another_version_are_refused_until_unload) {
  auto daemon = start_serving_daemon();
  add_dns();
  daemon.signal(SIGTERM);
  ASSERT_EQ(daemon.wait(), 0);

  const File map(bpf_obj_get((pins() + "/config").c_str()));
  ASSERT_TRUE(map.is_open());
  control::PinnedConfig pinned{};
  const u32 key = 0;
  ASSERT_EQ(bpf_map_lookup_elem(map.fd(), &key, &pinned), 0);
  pinned.abi_version += 1;
  ASSERT_EQ(bpf_map_update_elem(map.fd(), &key, &pinned, BPF_ANY), 0);

  EXPECT_EQ(start_daemon().wait(), 1);
  EXPECT_THAT(log(), HasSubstr("`penstockd --unload` removes them"));
  EXPECT_TRUE(is_served("eth0")) << "a refusal changes nothing";
  EXPECT_EQ(start_daemon({"--unload"}).wait(), 0);
  auto fresh = start_serving_daemon();
  EXPECT_TRUE(client()->service(dns)) << "services are kept over an unload";
}

TEST_F(Daemon, half_made_pins_of_a_daemon_that_died_early_are_replaced) {
  auto daemon = start_serving_daemon();
  daemon.signal(SIGKILL);
  daemon.wait();
  ASSERT_TRUE(std::filesystem::remove(pins() + "/config"));
  auto fresh = start_serving_daemon();
  EXPECT_THAT(log(), HasSubstr("new tables"));
  EXPECT_TRUE(is_served("eth0"));
}

// What `body` returns in a child that is the user nobody.
int as_nobody(const std::function<int()>& body) {
  const pid_t pid = fork();
  if (pid == 0) _exit(setgid(65534) == 0 && setuid(65534) == 0 ? body() : 99);
  return Process(pid).wait();
}

TEST_F(Daemon, socket_is_for_root) {
  auto daemon = start_serving_daemon();
  struct stat status{};
  ASSERT_EQ(stat(socket_path().c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 07777, 0660U);
  EXPECT_EQ(status.st_uid, 0U);
  EXPECT_EQ(as_nobody([&] {
              const auto refused = api::connect(socket_path());
              return !refused && refused.error().code == ErrorCode::permission_denied ? 0 : 1;
            }),
            0);
}

TEST_F(Daemon, without_privilege_says_what_is_missing) {
  EXPECT_EQ(as_nobody([] { return shell(penstockd() + " 2>&1 | grep -q 'needs root, or the capabilities'") ? 0 : 1; }),
            0);
}

TEST_F(Daemon, garbage_on_the_socket_harms_nobody) {
  auto daemon = start_serving_daemon();
  const auto friendly = client();
  sockaddr_un address{.sun_family = AF_UNIX};
  socket_path().copy(address.sun_path, sizeof address.sun_path - 1);
  for (unsigned seed = 1; seed <= 200; ++seed) {
    const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    ASSERT_EQ(connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
    std::minstd_rand random(seed);
    std::string bytes(random() % 300, '\0');
    for (char& byte : bytes) byte = static_cast<char>(random());
    if (seed % 2 == 0 && bytes.size() >= api::frame_header_bytes) {  // half of them with a length that is believed
      const auto header = api::frame_header(static_cast<std::uint32_t>(bytes.size() - api::frame_header_bytes));
      std::ranges::copy(header, bytes.begin());
    }
    send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    close(fd);
  }
  EXPECT_TRUE(friendly->info());
  EXPECT_TRUE(client()->info());
}

}  // namespace
}  // namespace penstock::tests
