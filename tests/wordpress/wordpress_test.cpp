// The whole cluster: WordPress behind a director, its files on NFS, its data in MariaDB.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <optional>
#include <regex>
#include <sstream>

#include "lab/wait_until.hpp"
#include "tests/wordpress/world.hpp"

namespace penstock::wordpress {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

constexpr const char* site = "http://172.16.0.40";
constexpr const char* rs1 = "172.16.0.32";
constexpr const char* rs2 = "172.16.0.33";

const std::vector<std::string> programs = {"penstockd", "ipvsadm", "nginx", "mariadbd", "ganesha.nfsd", "showmount"};

// The real one, but for the port on this machine, which other labs may have.
std::string topology_text() {
  const auto text = lab::read_file(project().root + "/lab/topologies/wordpress.conf");
  return std::regex_replace(text.value_or(""), std::regex("forward [0-9]+"), "forward 0");
}

struct Counters {
  long connections = 0;
  long packets_in = 0;
  long packets_out = 0;
};

class WordPress : public testing::Test {
 protected:
  void SetUp() override {
    if (const std::string reason = reason_to_skip(programs); !reason.empty()) GTEST_SKIP() << reason;
    if (!fs::exists("/usr/share/wordpress/wp-settings.php")) {
      GTEST_SKIP() << "SKIPPED: WordPress is not there; `penstock lab check` says which packages are missing";
    }
    world_.emplace();
  }

  void bring_up() {
    auto report = world_->up_text(topology_text());
    ASSERT_TRUE(report) << report.error().message;
    urls_ = report->urls;
  }

  lab::Outcome on(std::string_view host, const std::string& line) { return world_->on(host, line); }
  std::string said(std::string_view host, const std::string& line) { return world_->said(host, line); }

  // A request on a connection of its own.
  std::string get(const std::string& path) {
    return said("client", "curl -siS --max-time 20 '" + std::string(site) + path + "'");
  }

  std::string publish(const std::string& title, const std::string& text) {
    const std::string url = said("client", "lab/wordpress/publish.sh '" + title + "' '" + text + "'");
    EXPECT_THAT(url, testing::StartsWith(site));
    return url.substr(std::min(url.size(), std::string_view(site).size()));
  }

  // How many of so many requests each real server answered, by its own word; "": none did.
  std::map<std::string, int> who_answers(const std::string& path, int requests, std::string_view client = "client") {
    std::map<std::string, int> answers;
    for (int i = 0; i < requests; ++i) {
      const auto outcome = on(client, "curl -sfi --max-time 20 '" + std::string(site) + path + "'");
      std::smatch host;
      const bool is_answered =
          outcome.exit_status == 0 && std::regex_search(outcome.output, host, std::regex("X-Lab-Host: (\\w+)"));
      ++answers[is_answered ? host[1].str() : ""];
    }
    return answers;
  }

  Counters counters_of(const std::string& real_server) {
    const std::string table = said("director", "ipvsadm -Ln --stats --exact");
    std::smatch found;
    Counters counters;
    if (std::regex_search(table, found, std::regex("-> " + real_server + ":80 +(\\d+) +(\\d+) +(\\d+)"))) {
      counters = {std::stol(found[1]), std::stol(found[2]), std::stol(found[3])};
    } else {
      ADD_FAILURE() << "no line for " << real_server << " in:\n" << table;
    }
    return counters;
  }

  long active_connections_of(const std::string& real_server) {
    const std::string table = said("director", "ipvsadm -Ln");
    std::smatch found;
    if (!std::regex_search(table, found, std::regex("-> " + real_server + ":80 +Route +\\d+ +(\\d+)"))) return -1;
    return std::stol(found[1]);
  }

  void set_weight(const std::string& real_server, int weight) {
    said("director", "ipvsadm -e -t 172.16.0.40:80 -r " + real_server + " -g -w " + std::to_string(weight));
  }

  long bytes(std::string_view host, const std::string& direction) {
    return std::stol(said(host, "cat /sys/class/net/eth0/statistics/" + direction + "_bytes"));
  }

  std::optional<World> world_;
  std::vector<std::string> urls_;
};

TEST_F(WordPress, a_post_written_through_the_vip_is_read_from_both_real_servers) {
  ASSERT_NO_FATAL_FAILURE(bring_up());
  const std::string path = publish("Written once", "Read from each of them.");
  for (int i = 0; i < 2; ++i) {
    const std::string page = get(path);
    EXPECT_THAT(page, HasSubstr("200 OK"));
    EXPECT_THAT(page, HasSubstr("<p>Read from each of them.</p>"));
  }
  EXPECT_EQ(who_answers(path, 4), (std::map<std::string, int>{{"rs1", 2}, {"rs2", 2}}));

  // An upload is the one write to NFS that WordPress makes.
  said("client", "cp /usr/share/wordpress/wp-includes/images/w-logo-blue.png /tmp/logo.png");
  const std::string image = said("client", "lab/wordpress/publish.sh x y /tmp/logo.png | tail -n 1");
  EXPECT_THAT(image, testing::MatchesRegex("http://172.16.0.40/wp-content/uploads/.*/logo.png"));
  const std::string sum = said("client", "md5sum </tmp/logo.png");
  for (int i = 0; i < 2; ++i) EXPECT_EQ(said("client", "curl -sf " + image + " | md5sum"), sum);
}

TEST_F(WordPress, requests_spread_as_rr_says_and_replies_do_not_pass_the_director) {
  ASSERT_NO_FATAL_FAILURE(bring_up());
  const Counters before1 = counters_of(rs1);
  const Counters before2 = counters_of(rs2);
  EXPECT_EQ(who_answers("/?p=1", 10), (std::map<std::string, int>{{"rs1", 5}, {"rs2", 5}}));
  for (const auto& [server, before] : {std::pair{rs1, before1}, std::pair{rs2, before2}}) {
    const Counters after = counters_of(server);
    EXPECT_EQ(after.connections - before.connections, 5) << server;
    EXPECT_GE(after.packets_in - before.packets_in, 5 * 4) << server;  // SYN, ACK, request, FIN at least
    EXPECT_EQ(after.packets_out, 0) << server;
  }

  const long client_before = bytes("client", "rx");
  const long director_in_before = bytes("director", "rx");
  const long director_out_before = bytes("director", "tx");
  said("client",
       "for i in $(seq 8); do curl -sf -o /dev/null http://172.16.0.40/wp-includes/js/dist/block-editor.js || exit 1; "
       "done");
  const long client = bytes("client", "rx") - client_before;
  EXPECT_GT(client, 8'000'000);
  EXPECT_LT(bytes("director", "rx") - director_in_before, client / 10);
  EXPECT_LT(bytes("director", "tx") - director_out_before, client / 10);
}

TEST_F(WordPress, writes_to_the_tree_are_squashed) {
  ASSERT_NO_FATAL_FAILURE(bring_up());
  EXPECT_EQ(said("rs1", "showmount -e 172.16.0.34 | tail -n 1"), "/data/wordpress 172.16.0.0/16");
  for (const char* host : {"rs1", "rs2"}) {
    EXPECT_THAT(on(host, "touch /wordpress/x").output, HasSubstr("Permission denied")) << host;
    EXPECT_THAT(on(host, "rm /wordpress/index.php").output, HasSubstr("Permission denied")) << host;
    EXPECT_THAT(on(host, "echo >>/wordpress/wp-config.php").output, HasSubstr("Permission denied")) << host;
  }
  said("nfs", "mkdir -m 0777 /data/wordpress/open");
  said("rs1",
       "touch /wordpress/open/by-root; setpriv --reuid www-data --regid www-data --clear-groups touch "
       "/wordpress/open/by-php");
  EXPECT_EQ(said("nfs", "stat -c %U:%u /data/wordpress/open/by-root /data/wordpress/open/by-php"),
            "nobody:65534\nwww-data:33");
}

TEST_F(WordPress, a_real_server_is_taken_out_by_weight_0_without_a_failed_request) {
  ASSERT_NO_FATAL_FAILURE(bring_up());
  // Static files on new connections, as fast as they go, and WordPress's own pages beside them, until all is done.
  said("client", R"(
    (wrk --threads 1 --connections 8 --duration 120 -H 'Connection: close' http://172.16.0.40/readme.html >/tmp/wrk 2>&1; echo done >>/tmp/wrk) &
    (for i in $(seq 1000); do
       grep -qs done /tmp/wrk && break
       curl -sf -o /dev/null --max-time 20 http://172.16.0.40/?p=1 && echo ok || echo "failed: $?"
     done >/tmp/pages 2>&1; echo done >>/tmp/pages) &
    disown -a)");
  ASSERT_TRUE(lab::wait_until(lab::in(10s), [&] { return counters_of(rs1).connections > 1000; }));
  set_weight(rs1, 0);
  ASSERT_TRUE(lab::wait_until(lab::in(20s), [&] { return active_connections_of(rs1) == 0; }));
  said("rs1", "nginx -s stop; while curl -s -o /dev/null http://172.16.0.32/; do sleep 0.01; done");
  const long drained = counters_of(rs1).connections;
  const long others = counters_of(rs2).connections;
  EXPECT_TRUE(lab::wait_until(lab::in(20s), [&] { return counters_of(rs2).connections > others + 100; }));
  said("client",
       "kill -INT $(pidof wrk); until grep -qx done /tmp/wrk && grep -qx done /tmp/pages; do sleep 0.1; done");
  EXPECT_EQ(counters_of(rs1).connections, drained);
  EXPECT_THAT(said("client", "cat /tmp/wrk"), Not(testing::ContainsRegex("Socket errors|Non-2xx")));
  EXPECT_THAT(said("client", "cat /tmp/wrk"), testing::ContainsRegex("[1-9][0-9]* requests in"));
  EXPECT_EQ(said("client", "sort /tmp/pages | uniq -c | sed 's/^ *[0-9]* //'"), "done\nok");

  // Back in, by the same way. Another client: the load's ports stay with rs2 until they are free (IPVS: conn_reuse_mode 1).
  said("rs1", "nginx");
  set_weight(rs1, 1);
  EXPECT_EQ(who_answers("/?p=1", 4, "nfs"), (std::map<std::string, int>{{"rs1", 2}, {"rs2", 2}}));
}

TEST_F(WordPress, a_dead_nginx_fails_requests_until_its_weight_is_0) {
  ASSERT_NO_FATAL_FAILURE(bring_up());
  said("rs2", "kill -9 $(pgrep -x nginx)");
  EXPECT_EQ(who_answers("/?p=1", 6), (std::map<std::string, int>{{"rs1", 3}, {"", 3}}));
  set_weight(rs2, 0);
  EXPECT_EQ(who_answers("/?p=1", 20), (std::map<std::string, int>{{"rs1", 20}}));
}

TEST_F(WordPress, restarts_of_nfs_server_and_database_are_survived) {
  ASSERT_NO_FATAL_FAILURE(bring_up());
  const std::string path = publish("Kept", "This outlives its servers.");

  said("nfs", "kill -9 $(cat /run/ganesha.pid)");
  // Static and never read before, so that it has to come from there: the request waits.
  said("client",
       "curl -siS --max-time 30 http://172.16.0.40/wp-admin/css/login.css >/tmp/waiting 2>&1 & disown -a; sleep 0.5");
  EXPECT_EQ(said("client", "cat /tmp/waiting"), "");
  said("nfs", "lab/wordpress/nfs-server.sh");
  said("client", "until grep -q '200 OK' /tmp/waiting; do sleep 0.05; done");
  for (int i = 0; i < 2; ++i) EXPECT_THAT(get(path), HasSubstr("This outlives its servers."));

  said("mysql", "kill -9 $(pgrep -x mariadbd)");
  EXPECT_THAT(get(path), HasSubstr("500 Internal Server Error"));
  said("mysql", "lab/wordpress/database.sh");
  for (int i = 0; i < 2; ++i) EXPECT_THAT(get(path), HasSubstr("This outlives its servers."));
}

TEST_F(WordPress, a_browser_shows_the_post_within_the_lab_and_from_the_machine) {
  const std::string browser = "chromium-headless-shell";
  if (const std::string reason = reason_to_skip({browser}); !reason.empty()) GTEST_SKIP() << reason;
  ASSERT_NO_FATAL_FAILURE(bring_up());
  const std::string path = publish("Seen by a browser", "Laid out with its styles.");
  // Says what the page looks like once it is rendered: the heading's font is the theme's, so its style sheets came, too.
  const std::string look = browser + " --no-sandbox --disable-gpu --virtual-time-budget=5000 --dump-dom '";
  EXPECT_THAT(said("client", look + site + path + "' 2>/dev/null"), HasSubstr("<p>Laid out with its styles.</p>"));

  ASSERT_EQ(urls_.size(), 1U);
  const std::string url = urls_[0].substr(0, urls_[0].size() - 1) + path;
  const auto here = lab::run({.argv = {"/bin/sh", "-c", look + url + "' 2>/dev/null"},
                              .environment = {"PATH=/usr/bin:/bin", "HOME=/tmp"},
                              .input = "",
                              .time_max = 60s});
  ASSERT_TRUE(here) << here.error().message;
  EXPECT_THAT(here->output, HasSubstr("<p>Laid out with its styles.</p>"));
  // Links lead back to where the browser came from.
  EXPECT_THAT(here->output, HasSubstr("href=\"" + urls_[0].substr(0, urls_[0].size() - 1)));
  EXPECT_THAT(here->output, Not(HasSubstr(site)));
}

// ---- what stays behind

ino_t inode_of(const fs::path& path) {
  struct stat status{};
  return stat(path.c_str(), &status) == 0 ? status.st_ino : 0;
}

std::vector<lab::ProcessId> processes_of(const lab::Status& status) {
  std::vector<ino_t> namespaces;
  for (const lab::HostStatus& host : status.hosts)
    namespaces.push_back(inode_of("/proc/" + std::to_string(host.pid) + "/ns/pid"));
  std::vector<lab::ProcessId> processes;
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator("/proc", ignored)) {
    const ino_t inode = inode_of(entry.path() / "ns/pid");
    if (inode == 0 || std::ranges::find(namespaces, inode) == namespaces.end()) continue;
    if (const auto process = lab::identify(std::stoi(entry.path().filename()))) processes.push_back(*process);
  }
  return processes;
}

TEST_F(WordPress, comes_up_again_after_down_and_leaves_nothing) {
  const std::string here = "ls /sys/class/net /sys/fs/fuse/connections; findmnt -rno TARGET";
  const auto of_machine = [&] {
    return lab::run_successfully({.argv = {"/bin/sh", "-c", here}, .environment = lab::tool_environment(), .input = ""})
        .value_or("");
  };
  const std::string before = of_machine();
  for (int i = 0; i < 2; ++i) {
    ASSERT_NO_FATAL_FAILURE(bring_up());
    const auto processes = processes_of(lab::status(world_->name()));
    EXPECT_GE(processes.size(), 20U);  // seven pid 1s, penstockd, nginx, php-fpm, mariadbd, ganesha, nfsmount …
    EXPECT_EQ(said("rs1", "pgrep -x nfsmount | wc -l"), said("rs1", "grep -c fuse.nfs /proc/mounts || true"));
    EXPECT_TRUE(lab::down(world_->name()));
    EXPECT_TRUE(std::ranges::none_of(processes, lab::is_alive));
    EXPECT_EQ(of_machine(), before);
  }
}

TEST_F(WordPress, leaves_nothing_when_killed_on_the_way_up) {
  const std::string path = fs::temp_directory_path() / (world_->name() + "-killed.conf");
  ASSERT_TRUE(lab::write_file(path, topology_text()));
  const auto killed = lab::run({.argv = {"timeout", "--signal=KILL", "1.5", project().bin + "/penstock-lab", "--name",
                                         world_->name(), "up", path},
                                .environment = lab::tool_environment(),
                                .input = ""});
  const auto processes = processes_of(lab::status(world_->name()));
  fs::remove(path);
  ASSERT_TRUE(killed);
  EXPECT_EQ(killed->exit_status, 128 + 9);
  EXPECT_FALSE(processes.empty()) << "killed too early to tell";
  EXPECT_TRUE(lab::down(world_->name()));
  EXPECT_TRUE(std::ranges::none_of(processes, lab::is_alive));
  ASSERT_NO_FATAL_FAILURE(bring_up());
  EXPECT_THAT(get("/"), HasSubstr("<title>Penstock lab</title>"));
}

}  // namespace
}  // namespace penstock::wordpress
