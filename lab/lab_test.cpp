// Real labs: namespaces, mounts, nginx.
#include "lab/lab.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>

#include "lab/arp_probe.hpp"
#include "lab/lab_fixture.hpp"
#include "lab/wait_until.hpp"

namespace penstock::lab {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;

// Without a daemon: these tests are about the lab.
constexpr std::string_view cluster = R"(
network lan 172.16.0.0/16
host client
  role client
  link lan 172.16.0.10
host director
  role director
  link lan 172.16.0.31
  vip 172.16.0.40
host rs1
  role realserver
  link lan 172.16.0.32
  vip 172.16.0.40
  page Hello from rs1
  bulk 1M
host rs2
  role realserver
  link lan 172.16.0.33
  vip 172.16.0.40
  page Hello from rs2
)";

model::Address address(std::string_view text) { return *model::parse_address(text); }

class Lab : public LabTest {
 protected:
  std::string mac_of(std::string_view host) {
    std::string mac = output_of(host, {"cat", "/sys/class/net/eth0/address"});
    mac.pop_back();
    return mac;
  }

  std::vector<std::string> who_answers_for_the_vip() {
    const auto entry = entry_to(name_, "client", project, "", {});
    if (!entry) return {entry.error().message};
    const auto macs =
        who_has(entry->init, {.interface = "eth0",
                              .address = address("172.16.0.40"),
                              .witnesses = {address("172.16.0.31"), address("172.16.0.32"), address("172.16.0.33")}});
    if (!macs) return {macs.error().message};
    std::vector<std::string> hosts;
    for (const std::string_view host : {"director", "rs1", "rs2"}) {
      for (const MacAddress& mac : *macs) {
        if (to_string(mac) == mac_of(host)) hosts.emplace_back(host);
      }
    }
    return hosts;
  }
};

TEST_F(Lab, up_and_down_may_be_repeated_and_leave_nothing) {
  const auto interfaces = interfaces_here();
  const std::string path = file_of(cluster);
  const auto first = bring_up(path);
  ASSERT_TRUE(first) << first.error().message;
  EXPECT_FALSE(first->was_running);
  const Status running = status(name_);
  EXPECT_EQ(running.condition, Condition::up);
  EXPECT_EQ(running.hosts.size(), 5U);  // with the switch
  const auto namespaces = namespaces_of(running, "pid");
  EXPECT_EQ(namespaces.size(), 5U);
  const auto processes = processes_of(running);
  EXPECT_GE(processes.size(), 7U);  // five pid 1s and two nginx masters; the workers follow

  const auto second = bring_up(path);
  ASSERT_TRUE(second) << second.error().message;
  EXPECT_TRUE(second->was_running);
  EXPECT_EQ(namespaces_of(status(name_), "pid"), namespaces);

  EXPECT_EQ(down(name_).value_or(false), true);
  expect_nothing_left(processes, interfaces);
  EXPECT_EQ(down(name_).value_or(true), false);
  EXPECT_EQ(status(name_).condition, Condition::down);
}

TEST_F(Lab, command_in_a_host_sees_that_host) {
  ASSERT_TRUE(bring_up(file_of(cluster)));
  EXPECT_EQ(output_of("rs1", {"hostname"}), "rs1\n");
  EXPECT_EQ(inside("rs1", {"sh", "-c", "exit 7"}).exit_status, 7);
  EXPECT_EQ(inside("rs1", {"sh", "-c", "kill -9 $$"}).exit_status, 128 + 9);
  EXPECT_EQ(inside("rs1", {"no-such-program"}).exit_status, 127);
  EXPECT_THAT(inside("rs3", {"true"}).output, HasSubstr("has no host 'rs3'"));
  EXPECT_THAT(output_of("rs1", {"env"}), testing::StartsWith("PATH=" + project.bin + ":"));
  EXPECT_EQ(output_of("rs1", {"stat", "-fc", "%T", "/sys/fs/bpf"}), "bpf_fs\n");
  EXPECT_EQ(output_of("rs1", {"cat", "/proc/1/comm"}), "lab:rs1\n");
  EXPECT_EQ(output_of("rs1", {"getent", "hosts", "director"}), "172.16.0.31     director\n");
}

TEST_F(Lab, what_a_host_writes_stays_in_it_and_the_project_is_live) {
  ASSERT_TRUE(bring_up(file_of(cluster)));
  const std::string scratch = "/etc/" + name_;
  output_of("rs1", {"touch", scratch});
  EXPECT_EQ(output_of("rs1", {"ls", scratch}), scratch + "\n");
  EXPECT_NE(inside("rs2", {"ls", scratch}).exit_status, 0);
  EXPECT_FALSE(fs::exists(scratch));

  const std::string built = project.bin + "/" + name_;
  EXPECT_NE(inside("rs1", {"ls", built}).exit_status, 0);
  ASSERT_TRUE(write_file(built, "new"));
  EXPECT_EQ(output_of("rs1", {"cat", built}), "new");
  fs::remove(built);
}

TEST_F(Lab, real_servers_serve_pages_that_name_them) {
  ASSERT_TRUE(bring_up(file_of(cluster)));
  const std::string reply = output_of("client", {"curl", "-si", "--max-time", "5", "http://rs2/"});
  EXPECT_THAT(reply, HasSubstr("X-Lab-Host: rs2"));
  EXPECT_THAT(reply, HasSubstr("Hello from rs2\n"));
  EXPECT_EQ(output_of("client", {"curl", "-so", "/dev/null", "-w", "%{size_download}", "http://rs1/bulk"}), "1048576");
}

TEST_F(Lab, only_the_director_answers_arp_for_the_vip) {
  ASSERT_TRUE(bring_up(file_of(cluster)));
  EXPECT_THAT(who_answers_for_the_vip(), ElementsAre("director"));
}

TEST_F(Lab, a_real_server_that_does_not_ignore_arp_answers_too) {
  ASSERT_TRUE(bring_up(file_of(std::string(cluster) + "  sysctl net.ipv4.conf.all.arp_ignore 0\n")));
  EXPECT_THAT(who_answers_for_the_vip(), ElementsAre("director", "rs2"));
}

TEST_F(Lab, real_server_takes_the_vip_when_frames_reach_it) {
  ASSERT_TRUE(bring_up(file_of(cluster)));
  // Direct routing by hand: the client itself sends to the real server's MAC.
  output_of("client", {"ip", "neigh", "replace", "172.16.0.40", "lladdr", mac_of("rs1"), "dev", "eth0"});
  EXPECT_EQ(output_of("client", {"curl", "-s", "--max-time", "5", "http://172.16.0.40/"}), "Hello from rs1\n");
}

TEST_F(Lab, frames_reach_the_director_as_from_a_wire) {
  ASSERT_TRUE(bring_up(file_of(cluster)));
  EXPECT_THAT(output_of("switch", {"ip", "-d", "link", "show", "director-eth0"}), HasSubstr("name lab_pass"));
  for (const char* port : {"client-eth0", "director-eth0", "rs1-eth0"}) {
    EXPECT_THAT(output_of("switch", {"ethtool", "-k", port}), HasSubstr("tx-checksumming: off")) << port;
  }
}

TEST_F(Lab, two_labs_run_side_by_side) {
  const std::string path = file_of(cluster);
  const std::string other = name_ + "-b";
  ASSERT_TRUE(bring_up(path));
  ASSERT_TRUE(bring_up(path, other));
  output_of("rs1", {"sh", "-c", "echo first > /srv/www/index.html"});
  EXPECT_EQ(output_of("client", {"curl", "-s", "--max-time", "5", "http://rs1/"}), "first\n");
  EXPECT_EQ(inside(other, "client", {"curl", "-s", "--max-time", "5", "http://rs1/"}).output, "Hello from rs1\n");
  ASSERT_TRUE(down(name_));
  EXPECT_EQ(status(other).condition, Condition::up);
  EXPECT_EQ(inside(other, "client", {"curl", "-s", "--max-time", "5", "http://rs1/"}).output, "Hello from rs1\n");
}

TEST_F(Lab, nothing_outlives_a_killed_supervisor) {
  ASSERT_TRUE(bring_up(file_of(cluster)));
  const auto processes = processes_of(status(name_));
  kill_supervisor();
  // The hosts go with it, even before anybody calls `down`.
  EXPECT_TRUE(wait_until(in(5s), [&] { return none_is_alive(processes); }));
  EXPECT_EQ(status(name_).condition, Condition::broken);
  EXPECT_EQ(down(name_).value_or(false), true);
  EXPECT_FALSE(LabFolder(name_).exists());
}

// At each step of the way up.
TEST_F(Lab, nothing_outlives_a_supervisor_that_is_killed_on_the_way_up) {
  const auto interfaces = interfaces_here();
  const std::string path = file_of(std::string(cluster) + "  then true\n  then true\n");
  constexpr int steps_max = 30;
  int step = 0;
  for (bool is_up = false; !is_up; ++step) {
    ASSERT_LT(step, steps_max);
    std::vector<ProcessId> processes;
    int told = 0;
    const auto report =
        up({.name = name_, .topology_path = path, .project = project, .on_progress = [&](const Progress&) {
              if (told++ != step) return;
              processes = processes_of(status(name_));
              kill_supervisor();
            }});
    is_up = report.has_value();
    if (is_up) continue;
    EXPECT_EQ(report.error().message, "the lab's supervisor has died");
    EXPECT_GE(processes.size(), 5U);
    expect_nothing_left(processes, interfaces);
  }
  // Five hosts are awaited and come, two lines are run and done: were it told less, less would be tested.
  EXPECT_GE(step, 5 + 5 + 2 + 1);
}

TEST_F(Lab, nothing_outlives_an_up_that_is_killed) {
  const auto interfaces = interfaces_here();
  const std::string path = file_of(std::string(cluster) + "  setup sleep 1\n");
  const pid_t pid = fork();
  if (pid == 0) {
    (void)bring_up(path);
    _exit(0);
  }
  ASSERT_TRUE(wait_until(in(5s), [&] { return status(name_).hosts.size() == 5; }));
  const auto processes = processes_of(status(name_));
  kill(pid, SIGKILL);
  waitpid(pid, nullptr, 0);
  // The supervisor learns that nobody waits when it has something to say.
  EXPECT_TRUE(wait_until(in(10s), [&] { return none_is_alive(processes); }));
  EXPECT_TRUE(down(name_));
  expect_nothing_left(processes, interfaces);
}

TEST_F(Lab, then_lines_run_in_order_once_all_hosts_are_ready) {
  const std::string path = file_of(R"(
network n 10.0.0.0/8
host first
  role client
  link n 10.0.0.1
  then curl -s --max-time 5 http://last/ > /tmp/page
  then cat /tmp/page /tmp/page > /tmp/pages
host last
  role realserver
  link n 10.0.0.2
  setup sleep 0.3
  page Hello
)");
  std::vector<std::string> told;
  const auto report =
      up({.name = name_, .topology_path = path, .project = project, .on_progress = [&](const Progress& p) {
            if (p.kind == Progress::Kind::done) told.push_back(p.text);
          }});
  ASSERT_TRUE(report) << report.error().message;
  EXPECT_EQ(output_of("first", {"cat", "/tmp/pages"}), "Hello\nHello\n");
  EXPECT_THAT(told, ElementsAre("switch", "first", "last", "first: 2 commands"));
  EXPECT_THAT(*read_file(LabFolder(name_).log("first")), HasSubstr("$ cat /tmp/page /tmp/page > /tmp/pages\n"));
}

TEST_F(Lab, failing_then_line_is_named_and_nothing_stays) {
  const auto failed = bring_up(
      file_of("network n 10.0.0.0/8\nhost a\nrole client\nlink n 10.0.0.1\nthen echo so sorry; exit 3\nthen true"));
  ASSERT_FALSE(failed);
  EXPECT_THAT(failed.error().message, HasSubstr("host a: then echo so sorry; exit 3: exit status 3: so sorry"));
  EXPECT_FALSE(LabFolder(name_).exists());
}

TEST_F(Lab, bare_lab_has_its_hosts_and_nothing_of_what_comes_then) {
  const std::string path = file_of(
      "network n 10.0.0.0/8\nhost a\nrole client\nlink n 10.0.0.1\nthen touch /tmp/then\nforward 0 10.0.0.1:80");
  const auto bare = bring_up_bare(path);
  ASSERT_TRUE(bare) << bare.error().message;
  EXPECT_THAT(bare->urls, testing::IsEmpty());
  EXPECT_NE(inside("a", {"ls", "/tmp/then"}).exit_status, 0);
  EXPECT_TRUE(bring_up_bare(path)->was_running);
  // And is not what `up` means without --bare.
  const auto whole = bring_up(path);
  ASSERT_TRUE(whole) << whole.error().message;
  EXPECT_FALSE(whole->was_running);
  EXPECT_EQ(whole->urls.size(), 1U);
  output_of("a", {"ls", "/tmp/then"});
}

TEST_F(Lab, up_puts_a_lab_right_that_lost_a_host) {
  const std::string path = file_of(cluster);
  ASSERT_TRUE(bring_up(path));
  const auto entry = entry_to(name_, "rs1", project, "", {});
  ASSERT_TRUE(entry);
  kill_process(entry->init, SIGKILL);
  ASSERT_TRUE(wait_for_end(entry->init, in(5s)));
  EXPECT_EQ(status(name_).condition, Condition::broken);
  const auto again = bring_up(path);
  ASSERT_TRUE(again) << again.error().message;
  EXPECT_FALSE(again->was_running);
  EXPECT_EQ(output_of("client", {"curl", "-s", "--max-time", "5", "http://rs1/"}), "Hello from rs1\n");
}

TEST_F(Lab, another_topology_replaces_the_one_in_force) {
  ASSERT_TRUE(bring_up(file_of(cluster)));
  const auto processes = processes_of(status(name_));
  ASSERT_TRUE(bring_up(file_of("network n 10.0.0.0/8\nhost alone\nrole client\nlink n 10.0.0.1")));
  EXPECT_TRUE(none_is_alive(processes));
  EXPECT_EQ(status(name_).hosts.size(), 2U);
  EXPECT_EQ(output_of("alone", {"hostname"}), "alone\n");
}

TEST_F(Lab, failing_host_is_named_with_its_log_and_nothing_stays) {
  const auto failed =
      bring_up(file_of("network n 10.0.0.0/8\nhost a\nrole client\nlink n 10.0.0.1\nsetup echo so sorry; exit 3"));
  ASSERT_FALSE(failed);
  EXPECT_THAT(failed.error().message, HasSubstr("host a: /bin/sh -c echo so sorry; exit 3: exit status 3: so sorry"));
  EXPECT_THAT(failed.error().message, HasSubstr("--- the log of a ---"));
  EXPECT_FALSE(LabFolder(name_).exists());
}

TEST_F(Lab, a_daemon_that_is_not_built_is_noted_and_left_out) {
  const auto report =
      bring_up(file_of("network n 10.0.0.0/8\nhost a\nrole client\nlink n 10.0.0.1\nrun no-such-daemon -x"));
  ASSERT_TRUE(report) << report.error().message;
  EXPECT_THAT(report->notes, ElementsAre("a: no-such-daemon is not built or installed: not started"));
}

TEST_F(Lab, two_networks_meet_in_a_router) {
  const auto report = bring_up(file_of(R"(
network front 192.0.2.0/24 2001:db8::/64
network back 10.0.0.0/8 fd00::/64
host client
  role client
  link front 192.0.2.10 2001:db8::10
  gateway 192.0.2.1 2001:db8::1
host gw
  role router
  link front 192.0.2.1 2001:db8::1
  link back 10.0.0.1 fd00::1
host rs
  role realserver
  link back 10.0.0.32 fd00::32
  gateway 10.0.0.1 fd00::1
  page Hello
  listen 80 8080
)"));
  ASSERT_TRUE(report) << report.error().message;
  EXPECT_EQ(output_of("client", {"curl", "-s", "--max-time", "5", "http://10.0.0.32/"}), "Hello\n");
  if (!fs::exists("/proc/sys/net/ipv6")) GTEST_SKIP() << "SKIPPED: this kernel has no IPv6";
  EXPECT_EQ(output_of("client", {"curl", "-s", "--max-time", "5", "http://[fd00::32]:8080/"}), "Hello\n");
}

TEST(LabName, is_a_folder_name_that_stays_where_it_is) {
  EXPECT_TRUE(check_lab_name("lab-2.b_C"));
  EXPECT_TRUE(check_lab_name(std::string(lab_name_size_max, 'a')));
  for (const std::string& bad :
       {std::string(), std::string(".."), std::string("a/b"), std::string(lab_name_size_max + 1, 'a')}) {
    EXPECT_FALSE(check_lab_name(bad)) << bad;
  }
}

}  // namespace
}  // namespace penstock::lab
