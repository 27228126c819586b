// Every shipped topology as `penstock lab up NAME` leaves it, configured by its own `then` lines: it serves by both families from both
// servers, replies take the way that its forwarding method says, it may go down and come up again, and whatever is killed leaves
// nothing behind.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <regex>

#include "lab/lab_fixture.hpp"
#include "lab/traffic.hpp"
#include "lab/wait_until.hpp"

namespace penstock::serving {
namespace {

using namespace std::chrono_literals;
using lab::Progress;
using testing::UnorderedElementsAre;

struct TopologyCase {
  std::string name;
  std::string ipv4_url;
  std::string ipv6_url;
  // Where replies pass, as HOST:NETWORK and the direction seen from the host. On all other links there are requests at most.
  std::vector<std::string> reply_links;
};

const TopologyCase topologies[] = {
    {"direct", "http://172.16.0.40/", "http://[fd00:ac10::40]/", {"rs:lan>", "client:lan<"}},
    {"direct-two-routers",
     "http://192.0.2.40/",
     "http://[2001:db8:2::40]/",
     {"rs:inside>", "router2:inside<", "router2:outside>", "client:outside<"}},
    {"nat",
     "http://192.0.2.40/",
     "http://[2001:db8:2::40]/",
     {"rs:lan>", "director:lan<", "director:wan>", "client:wan<"}},
    {"tunnel",
     "http://192.0.2.40/",
     "http://[2001:db8:2::40]/",
     {"rs:lan>", "router:lan<", "router:wan>", "client:wan<"}},
    {"fullnat",
     "http://192.0.2.40/",
     "http://[2001:db8:2::40]/",
     {"rs:far>", "router:far<", "router:wan>", "director:wan<", "director:wan>", "client:wan<"}},
};

// A test's parameter prints as its name.
void PrintTo(const TopologyCase& c, std::ostream* out) { *out << c.name; }

class Topologies : public lab::LabTest, public testing::WithParamInterface<TopologyCase> {
 protected:
  void SetUp() override {
    LabTest::SetUp();
    if (IsSkipped()) return;
    const auto path = lab::topology_path(lab::project, GetParam().name);
    ASSERT_TRUE(path) << path.error().message;
    path_ = *path;
  }

  void TearDown() override {
    if (HasFailure()) GTEST_LOG_(INFO) << lab::read_file(lab::LabFolder(name_).log("director")).value_or("no log");
    LabTest::TearDown();
  }

  void come_up() {
    const auto report = bring_up(path_);
    ASSERT_TRUE(report) << report.error().message;
    ASSERT_FALSE(report->was_running);
  }

  // Which server answers so many requests, and how often.
  std::map<std::string, int> answers(const std::string& url, int requests) {
    std::map<std::string, int> counts;
    for (int i = 0; i < requests; ++i) ++counts[output_of("client", {"curl", "-gs", "--max-time", "5", url})];
    return counts;
  }

  void expect_turns(const std::string& url) {
    EXPECT_THAT(answers(url, 4),
                UnorderedElementsAre(std::pair("Hello from rs1\n", 2), std::pair("Hello from rs2\n", 2)))
        << url;
  }

  // The connections of services and servers, in the order of `ipvsadm -Ln --stats`.
  std::vector<int> connections() {
    const std::string table = output_of("director", {"ipvsadm", "-Ln", "--stats", "--exact"});
    static const std::regex row(R"((?:TCP  |  -> )\S+:\d+ +(\d+) )");
    std::vector<int> counts;
    for (std::sregex_iterator found(table.begin(), table.end(), row), end; found != end; ++found)
      counts.push_back(std::stoi((*found)[1]));
    return counts;
  }

  // Bytes that have passed, by HOST:NETWORK and direction; both real servers together.
  std::map<std::string, std::uint64_t> passed() {
    const lab::Status now = lab::status(name_);
    const auto traffic = lab::read_traffic(*now.topology, now.hosts.back().pid);
    std::map<std::string, std::uint64_t> bytes;
    if (!traffic) {
      ADD_FAILURE() << traffic.error().message;
      return bytes;
    }
    std::size_t at = 0;
    for (const lab::Host& host : now.topology->hosts) {
      for (const lab::Link& link : host.links) {
        const std::string where = (host.role == lab::Role::realserver ? "rs" : host.name) + ":" + link.network;
        bytes[where + ">"] += (*traffic)[at].from_host.bytes;
        bytes[where + "<"] += (*traffic)[at].to_host.bytes;
        ++at;
      }
    }
    return bytes;
  }

  std::string path_;
};

TEST_P(Topologies, serves_in_turn_by_both_families_and_again_after_down) {
  const auto interfaces = lab::interfaces_here();
  for (int round = 0; round < 2; ++round) {
    come_up();
    if (HasFatalFailure()) return;
    expect_turns(GetParam().ipv4_url);
    expect_turns(GetParam().ipv6_url);
    EXPECT_EQ(connections(), (std::vector<int>{4, 2, 2, 4, 2, 2}));
    const auto processes = lab::processes_of(lab::status(name_));
    EXPECT_GE(processes.size(), lab::status(name_).hosts.size() + 3);  // penstockd and two nginx are among them
    ASSERT_TRUE(lab::down(name_));
    expect_nothing_left(processes, interfaces);
  }
}

TEST_P(Topologies, replies_pass_where_the_method_says_and_nowhere_else) {
  come_up();
  if (HasFatalFailure()) return;
  constexpr std::uint64_t reply_bytes = 4 * 8 * 1024 * 1024;
  constexpr std::uint64_t request_bytes_max = reply_bytes / 10;
  const auto before = passed();
  for (const std::string& url : {GetParam().ipv4_url, GetParam().ipv6_url}) {
    for (int i = 0; i < 2; ++i) {
      EXPECT_EQ(output_of("client",
                          {"curl", "-gso", "/dev/null", "--max-time", "20", "-w", "%{size_download}", url + "bulk"}),
                "8388608");
    }
  }
  for (const auto& [link, bytes] : passed()) {
    const std::uint64_t growth = bytes - before.at(link);
    if (std::ranges::find(GetParam().reply_links, link) != GetParam().reply_links.end()) {
      EXPECT_GT(growth, reply_bytes) << link;
    } else {
      EXPECT_LT(growth, request_bytes_max) << link;
    }
  }
}

TEST_P(Topologies, a_supervisor_that_is_killed_leaves_nothing) {
  const auto interfaces = lab::interfaces_here();
  std::vector<lab::ProcessId> processes;
  // In the midst of configuring the director.
  const auto failed =
      lab::up({.name = name_, .topology_path = path_, .project = lab::project, .on_progress = [&](const Progress& p) {
                 if (p.text.find("ipvsadm -a") == p.text.npos || !processes.empty()) return;
                 processes = lab::processes_of(lab::status(name_));
                 kill_supervisor();
               }});
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().message, "the lab's supervisor has died");
  EXPECT_GE(processes.size(), 5U);
  expect_nothing_left(processes, interfaces);

  come_up();
  if (HasFatalFailure()) return;
  processes = lab::processes_of(lab::status(name_));
  kill_supervisor();
  EXPECT_TRUE(lab::wait_until(lab::in(5s), [&] { return lab::none_is_alive(processes); }));
  come_up();  // over what was left of the state
  if (HasFatalFailure()) return;
  expect_turns(GetParam().ipv4_url);
  processes = lab::processes_of(lab::status(name_));
  ASSERT_TRUE(lab::down(name_));
  expect_nothing_left(processes, interfaces);
}

std::string name_of(const testing::TestParamInfo<TopologyCase>& info) {
  return std::regex_replace(info.param.name, std::regex("-"), "_");
}

INSTANTIATE_TEST_SUITE_P(All, Topologies, testing::ValuesIn(topologies), name_of);

// Whoever adds a topology says here how it serves. WordPress has tests of its own.
TEST(ShippedTopologies, all_are_tested) {
  std::vector<std::string> names = lab::topology_names(lab::project);
  std::erase(names, "wordpress");
  std::vector<std::string> tested;
  for (const TopologyCase& c : topologies) tested.push_back(c.name);
  EXPECT_THAT(names, testing::UnorderedElementsAreArray(tested));
}

}  // namespace
}  // namespace penstock::serving
