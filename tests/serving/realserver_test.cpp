// `penstock realserver` on a host of its own: what it changes, that it puts everything back, and what others on the network see.
#include <arpa/inet.h>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include <csignal>
#include <nlohmann/json.hpp>

#include "agent/changes.hpp"
#include "agent/journal_file.hpp"
#include "agent/kernel_host.hpp"
#include "lab/arp_probe.hpp"
#include "lab/lab.hpp"
#include "lab/neighbour_probe.hpp"
#include "lab/network_namespace_scope.hpp"
#include "tests/serving/cluster.hpp"

namespace penstock::serving {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

const std::string vip4 = "172.16.0.40";
const std::string vip6 = "fd00:ac10::40";
const std::string vips = " --vip " + vip4 + " " + vip6;

// All that a start may touch, as the host's own tools tell it.
constexpr const char* everything =
    "ip -d address; ip route show table all; ip -6 route show table all; ip neigh show proxy; "
    "grep -r . /proc/sys/net/ipv4/conf /proc/sys/net/ipv6/conf 2>/dev/null; "
    "tc qdisc; tc filter show dev eth0 ingress; tc filter show dev eth0 egress; bpftool net; ls -R /sys/fs/bpf; "
    "if command -v nft >/dev/null; then nft list ruleset; fi";

class RealServer : public testing::Test {
 protected:
  void SetUp() override {
    if (geteuid() != 0) GTEST_SKIP() << "SKIPPED: a lab needs root";
    const auto up = cluster_.up("realserver");
    ASSERT_TRUE(up) << up.error().message;
    as_found_ = snapshot();
  }

  lab::Outcome realserver(const std::string& words) const { return cluster_.on("rs1", "penstock realserver " + words); }
  std::string must(const std::string& host, const std::string& line) const {
    const lab::Outcome outcome = cluster_.on(host, line);
    EXPECT_EQ(outcome.exit_status, 0) << host << "$ " << line << "\n" << outcome.output;
    return outcome.output;
  }
  void must_do(const std::string& words) const { must("rs1", "penstock realserver " + words); }
  [[nodiscard]] std::string snapshot() const { return must("rs1", everything); }
  void expect_as_found(const std::string& after) const { EXPECT_EQ(snapshot(), as_found_) << "after " << after; }

  [[nodiscard]] lab::FileDescriptor init_of(const std::string& host) const {
    auto entry = lab::entry_to(name_, host, project_, "", {});
    EXPECT_TRUE(entry) << entry.error().message;
    return entry ? std::move(entry->init) : lab::FileDescriptor();
  }

  // How many hosts answer for the VIP, by ARP and by neighbour discovery.
  [[nodiscard]] std::size_t answers_by_arp() const {
    const auto answers =
        lab::who_has(init_of("client"), lab::ArpQuestion{"eth0", address(vip4), {address("172.16.0.32")}});
    EXPECT_TRUE(answers) << answers.error().message;
    return answers ? answers->size() : 99;
  }
  [[nodiscard]] std::size_t answers_by_discovery() const {
    const auto answers =
        lab::who_has(init_of("client"), lab::NeighbourQuestion{"eth0", address(vip6), {address("fd00:ac10::32")}});
    EXPECT_TRUE(answers) << answers.error().message;
    return answers ? answers->size() : 99;
  }

  // What a director does for the client: the VIP is at the real server.
  void lead_to_vip() const {
    const std::string mac = must("rs1", "cat /sys/class/net/eth0/address");
    for (const std::string& vip : {vip4, vip6})
      must("client", "ip neigh replace " + vip + " dev eth0 lladdr " + mac.substr(0, mac.find('\n')));
  }

  // The segment size that the server's SYN+ACK told the client; 0: no connection.
  [[nodiscard]] int segment_size(const std::string& to) const {
    const lab::FileDescriptor init = init_of("client");
    const lab::NetworkNamespaceScope in_client(init);
    sockaddr_in6 at{};
    at.sin6_family = AF_INET6;
    at.sin6_port = htons(80);
    const bool is_ipv6 = to.find(':') != to.npos;
    const std::string text = is_ipv6 ? to : "::ffff:" + to;  // an IPv4 connection all the same
    EXPECT_EQ(inet_pton(AF_INET6, text.c_str(), &at.sin6_addr), 1);
    const lab::FileDescriptor socket(::socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0));
    const timeval patience{.tv_sec = 5, .tv_usec = 0};
    setsockopt(socket.get(), SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
    if (connect(socket.get(), reinterpret_cast<const sockaddr*>(&at), sizeof at) != 0) return 0;
    int size = 0;
    socklen_t length = sizeof size;
    getsockopt(socket.get(), IPPROTO_TCP, TCP_MAXSEG, &size, &length);
    return size;
  }

  static model::Address address(const std::string& text) { return *model::parse_address(text); }

  const std::string name_ = "realserver-" + std::to_string(getpid());
  const lab::Project project_{.root = PENSTOCK_SOURCE_DIR, .bin = PENSTOCK_BIN_DIR};
  Cluster cluster_{{.programs = PENSTOCK_BIN_DIR, .topologies = PENSTOCK_SOURCE_DIR "/tests/serving/topologies"},
                   name_};
  std::string as_found_;
};

const std::vector<std::string> starts{
    "start" + vips,
    "start --method tunnel --mode native" + vips,
    "start --method tunnel --mode tc" + vips,
    "start --method fullnat --from 10.9.0.0/24 fd00:9::/64",
};

TEST_F(RealServer, start_and_stop_in_each_order_leave_the_host_as_found) {
  for (const std::string& start : starts) {
    const std::vector<std::vector<std::string>> orders{{"stop"},
                                                       {"stop", "stop"},
                                                       {start, "stop"},
                                                       {start, start, "stop"},
                                                       {start, "stop", "stop"},
                                                       {start, "stop", start, "stop"},
                                                       {starts[1], start, "stop"}};
    for (const auto& order : orders) {
      std::string done;
      for (const std::string& words : order) {
        must_do(words);
        done += words + "; ";
        if (words != "stop") {
          EXPECT_NE(snapshot(), as_found_) << done;
          must_do("status");
        }
      }
      expect_as_found(done);
    }
  }
}

TEST_F(RealServer, what_was_there_before_is_there_afterwards) {
  must("rs1", "ip address add " + vip4 + "/32 dev lo; ip address add " + vip6 + "/128 dev lo; ip route add " + vip4 +
                  " dev lo; tc qdisc add dev eth0 clsact; sysctl -qw net.ipv4.conf.all.arp_ignore=2 "
                  "net.ipv4.conf.lo.arp_announce=1");
  as_found_ = snapshot();
  must_do("start --method tunnel" + vips);
  must_do("stop");
  expect_as_found("start; stop");
}

// The agent's own start in this process' child, over a host that is killed with it before the write of that number.
class MortalHost : public agent::Host {
 public:
  MortalHost(agent::Host& host, int writes_max) : host_(host), writes_left_(writes_max) {}
  Result<std::string> read(const agent::Setting& setting) override { return host_.read(setting); }
  Result<void> write(const agent::Setting& setting, const std::string& value) override {
    if (writes_left_-- == 0) raise(SIGKILL);
    return host_.write(setting, value);
  }
  Result<std::string> load(const std::string& program) override { return host_.load(program); }

 private:
  agent::Host& host_;
  int writes_left_;
};

Result<void> start_mortal(const agent::Options& options, int writes_max) {
  auto netlink = agent::Netlink::open();
  const auto facts = agent::read_facts(*netlink);
  const auto plan = agent::make_plan(options, *facts);
  if (!plan) return fail(plan.error());
  const auto identity = agent::own_identity();
  if (!identity) return fail(identity.error());
  const auto file = agent::JournalFile::open(*identity);
  if (!file) return fail(file.error());
  agent::KernelHost host(*netlink, agent::program_config(options, *facts));
  MortalHost mortal(host, writes_max);
  const auto started =
      agent::start(*plan, *file->load(), mortal, [&](const agent::Journal& journal) { return file->save(journal); });
  if (!started) return fail(started.error());
  return started->refusal ? fail(started->refusal->error) : Result<void>();
}

// The exit status: 0, 1 or, as in a shell, 137 of one that was killed.
int wait_for(pid_t child) {
  int status = 0;
  waitpid(child, &status, 0);
  return lab::exit_status_of(status);
}

// Only a child's child is in the host's pid namespace, without which /proc there is empty.
int start_in_host(const lab::FileDescriptor& init, const agent::Options& options, int writes_max) {
  const pid_t outside = fork();
  if (outside != 0) return wait_for(outside);
  if (setns(init.get(), CLONE_NEWNET | CLONE_NEWNS | CLONE_NEWPID) != 0) _exit(2);
  const pid_t inside = fork();
  if (inside != 0) _exit(wait_for(inside));
  const auto started = start_mortal(options, writes_max);
  if (!started) fmt::print(stderr, "{}\n", started.error().message);
  _exit(started ? 0 : 1);
}

constexpr int killed = 128 + SIGKILL;

TEST_F(RealServer, start_that_is_killed_after_any_step_is_completed_or_undone) {
  const auto init = init_of("rs1");
  agent::Options options{.action = agent::Options::Action::start,
                         .vips = {address(vip4), address(vip6)},
                         .methods = {model::Method::tunnel, model::Method::fullnat},
                         .directors = {*model::parse_prefix("10.9.0.0/24")}};
  int writes = 0;
  for (;; ++writes) {
    const int ended = start_in_host(init, options, writes);
    if (ended == 0) break;
    ASSERT_EQ(ended, killed) << "after " << writes << " writes";
    EXPECT_EQ(realserver("status").exit_status, 1) << "after " << writes << " writes";
    if (writes % 2 == 0) {
      ASSERT_EQ(start_in_host(init, options, 1000), 0);
      must_do("status");
    }
    must_do("stop");
    expect_as_found(fmt::format("a start that was killed after {} writes", writes));
  }
  EXPECT_GE(writes, 13);
  must_do("stop");
  expect_as_found("a whole start");
}

TEST_F(RealServer, what_an_earlier_boot_left_is_not_put_back) {
  must_do("start" + vips);
  must("rs1", "sed -i 's/\"boot_id\": \"[^\"]*\"/\"boot_id\": \"another\"/' /run/penstock/*/realserver.json");
  EXPECT_EQ(realserver("status").exit_status, 1);
  const std::string before = snapshot();
  EXPECT_THAT(realserver("stop").output, HasSubstr("not started"));
  EXPECT_EQ(snapshot(), before);
}

TEST_F(RealServer, status_names_what_is_missing) {
  EXPECT_EQ(realserver("status").exit_status, 1);
  must_do("start" + vips);
  must_do("status");
  must("rs1", "ip address del " + vip4 + "/32 dev lo; sysctl -qw net.ipv4.conf.all.arp_announce=0");
  const lab::Outcome status = realserver("status");
  EXPECT_EQ(status.exit_status, 1);
  EXPECT_THAT(status.output, HasSubstr("MISSING  address 172.16.0.40 on lo: absent"));
  EXPECT_THAT(status.output, HasSubstr("MISSING  net.ipv4.conf.all.arp_announce: 0, to be 2"));
  EXPECT_THAT(status.output, HasSubstr("ok       net.ipv4.conf.all.arp_ignore: 1"));
  EXPECT_EQ(nlohmann::json::parse(realserver("status --json").output)["in_place"], false);
  must_do("start" + vips);
  EXPECT_EQ(nlohmann::json::parse(realserver("status --json").output)["in_place"], true);
}

TEST_F(RealServer, takes_the_vip_and_is_silent_about_it) {
  must("rs1", "ip address add " + vip4 + "/32 dev lo");
  EXPECT_EQ(answers_by_arp(), 1U) << "the probe hears a host that was not told to be silent";
  must_do("start" + vips);
  EXPECT_EQ(answers_by_arp(), 0U);
  EXPECT_EQ(answers_by_discovery(), 0U);
  lead_to_vip();
  EXPECT_EQ(must("client", "curl -s --max-time 5 http://" + vip4 + "/"), "Hello from rs1\n");
  EXPECT_EQ(must("client", "curl -sg --max-time 5 http://[" + vip6 + "]/"), "Hello from rs1\n");
  must_do("stop");
  EXPECT_EQ(answers_by_arp(), 1U);
}

// What speaks for an IPv6 VIP: the address on the link itself, or a proxy entry. `start` does not go along with the former.
TEST_F(RealServer, vip_on_the_link_speaks_and_is_refused) {
  must("rs1", "ip address add " + vip6 + "/128 dev eth0 nodad");
  EXPECT_EQ(answers_by_discovery(), 1U);
  const lab::Outcome start = realserver("start" + vips);
  EXPECT_EQ(start.exit_status, 1);
  EXPECT_THAT(start.output, HasSubstr("fd00:ac10::40 is an address of another interface than lo"));
}

// Whoever is asked learns from the question where the asker is. So the server may not ask in the VIP's name: the client would send
// to it what is the director's.
TEST_F(RealServer, asks_its_neighbours_in_its_own_name) {
  const std::string elsewhere = " dev eth0 lladdr 02:00:00:00:00:01";
  const auto neighbours_after_a_question = [&] {
    for (const std::string& vip : {vip4, vip6}) must("client", "ip neigh replace " + vip + elsewhere + " nud stale");
    must("rs1",
         "ip -4 neigh flush dev eth0; ip -6 neigh flush dev eth0; for url in http://172.16.0.10/ "
         "http://[fd00:ac10::10]/; do "
         "case $url in *:ac10*) from=" +
             vip6 + ";; *) from=" + vip4 +
             ";; esac; "
             "curl -sg --max-time 0.3 --interface $from $url; done; true");
    return must("client", "ip neigh show");
  };
  must_do("start" + vips);
  const std::string neighbours = neighbours_after_a_question();
  EXPECT_THAT(neighbours, HasSubstr(vip4 + elsewhere));
  EXPECT_THAT(neighbours, HasSubstr(vip6 + elsewhere));
  must("rs1", "sysctl -qw net.ipv4.conf.all.arp_announce=0 net.ipv4.conf.lo.arp_announce=0");
  EXPECT_THAT(neighbours_after_a_question(), testing::Not(HasSubstr(vip4 + elsewhere))) << "the test sees who asks";
}

// GUE in IPv6 is the largest: 52 bytes. The client's connections go to the server as if a director had led them there.
TEST_F(RealServer, announces_segments_that_fit_into_tunnels) {
  lead_to_vip();
  must_do("start" + vips);
  EXPECT_EQ(segment_size(vip4), 1460);
  EXPECT_EQ(segment_size(vip6), 1440);
  must_do("start --method tunnel" + vips);
  EXPECT_EQ(segment_size(vip4), 1460 - 52);
  EXPECT_EQ(segment_size(vip6), 1440 - 52);
  EXPECT_EQ(segment_size("172.16.0.32"), 1460) << "connections to the host itself are left alone";
  must("rs1", "ip link set eth0 mtu 1400");
  EXPECT_EQ(segment_size(vip4), 1360 - 52);
  must_do("start --method tunnel --mss 1000" + vips);
  EXPECT_EQ(segment_size(vip4), 1000);
  EXPECT_EQ(segment_size(vip6), 1000);
  must_do("start --method tunnel --mss 9000" + vips);
  EXPECT_EQ(segment_size(vip4), 1360) << "never raised";
}

TEST_F(RealServer, help_needs_nothing_and_mistakes_are_explained) {
  EXPECT_THAT(must("rs1", "penstock realserver --help"), HasSubstr("usage: penstock realserver start"));
  const lab::Outcome mistake = realserver("start");
  EXPECT_EQ(mistake.exit_status, 2);
  EXPECT_THAT(mistake.output, HasSubstr("--vip is missing"));
}

}  // namespace
}  // namespace penstock::serving
