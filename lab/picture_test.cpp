#include "lab/picture.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "lab/layout.hpp"
#include "lab/parse_topology.hpp"
#include "lab/process.hpp"
#include "lab/project.hpp"

namespace penstock::lab {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::SizeIs;

constexpr Size terminal{.columns = 80, .rows = 24};
const Caption caption{.above = "above", .below = "below"};

Topology topology_of(std::string_view text) {
  auto topology = parse_topology("t.conf", text);
  if (!topology) ADD_FAILURE() << topology.error().message;
  return topology.value_or(Topology{});
}

std::string drawn(const Topology& topology, const std::vector<LinkRate>& flows, const Size& size = terminal) {
  return fmt::format("\n{}\n", fmt::join(draw(topology, flows, caption, size).rows(false), "\n"));
}

const Topology behind_a_director = topology_of(R"(
network wan 192.0.2.0/24
network lan fd00::/64 10.0.0.0/24
host client
  role client
  link wan 192.0.2.10
host director
  role director
  link lan fd00::1 10.0.0.1
  link wan 192.0.2.31
  vip 192.0.2.40
host rs1
  role realserver
  link lan 10.0.0.32
host rs2
  role realserver
  link lan fd00::33
)");

// The director's first link is the one to its servers.
const std::vector<LinkRate> busy{{.from_host = {1200, 800e3}, .to_host = {90e3, 1.1e9}},
                                 {.from_host = {1201, 801e3}, .to_host = {90.1e3, 1.2e9}},
                                 {.from_host = {90.2e3, 1.3e9}, .to_host = {1202, 802e3}},
                                 {.from_host = {90.3e3, 1.4e9}, .to_host = {1203, 803e3}},
                                 {}};

TEST(Picture, flows_stand_at_their_links_and_arrows_point_as_they_go_on_the_screen) {
  EXPECT_EQ(drawn(behind_a_director, busy), R"(
above
                            ┌─── client ───────────┐
                            │ 192.0.2.10           │
                            └─┬────────────────────┘
                              │▲ 90.0k  1.10G
                              │▼ 1.20k   800k
━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━┿━ wan 192.0.2.0/24 ━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━
                              │▲ 90.2k  1.30G
                              │▼ 1.20k   802k
                            ┌─┴─ director ─────────┐
                            │ 10.0.0.1             │
                            │ 192.0.2.31           │
                            │ VIP 192.0.2.40       │
                            └─┬────────────────────┘
                              │▲ 90.1k  1.20G
                              │▼ 1.20k   801k
━━━━━━━━━━┯━ lan fd00::/64 ━━━┷━━━━━━━━━━━━━━━━━━━┯━━━━━━━━━━━━━━━━━━━━━━━━━━━━━
          │▲ 90.3k  1.40G                         │▲     0      0
          │▼ 1.20k   803k                         │▼     0      0
        ┌─┴─ rs1 ──────────────┐                ┌─┴─ rs2 ──────────────┐
        │ 10.0.0.32            │                │ fd00::33             │
        └──────────────────────┘                └──────────────────────┘
below
)");
}

TEST(Picture, who_asks_is_above_and_who_serves_below_the_only_network) {
  const Topology topology = topology_of(
      "network n 10.0.0.0/8\nhost rs\nrole realserver\nlink n 10.0.0.1\nhost c\nrole client\nlink n 10.0.0.2\n"
      "host d\nrole director\nlink n 10.0.0.3\nvip 10.0.0.4");
  const auto layout = lay_out(topology, terminal);
  ASSERT_TRUE(layout);
  std::vector<std::size_t> above;
  for (const Box& box : layout->boxes) {
    if (box.row < layout->line_rows[0]) above.push_back(box.host);
  }
  EXPECT_THAT(above, ElementsAre(1, 2));
}

TEST(Picture, flow_is_green_and_no_flow_is_dim) {
  const std::string text =
      fmt::format("{}", fmt::join(draw(behind_a_director, busy, caption, terminal).rows(true), "\n"));
  EXPECT_THAT(text, HasSubstr("\x1b[0;32m▲ 90.3k  1.40G"));
  EXPECT_THAT(text, HasSubstr("\x1b[0;2m▲     0      0"));
}

// One row or column less than the picture needs.
TEST(Picture, where_there_is_no_room_the_links_are_listed) {
  ASSERT_TRUE(lay_out(behind_a_director, {.columns = 2 * (box_columns_min + 1), .rows = 21}));
  EXPECT_FALSE(lay_out(behind_a_director, {.columns = 2 * (box_columns_min + 1) - 1, .rows = 21}));
  EXPECT_FALSE(lay_out(behind_a_director, {.columns = 80, .rows = 20}));
  EXPECT_EQ(drawn(behind_a_director, busy, {.columns = 80, .rows = 20}), R"(
above
HOST       LINK  NETWORK     SENDS           RECEIVES
client     eth0  wan         1.20k   800k    90.0k  1.10G
director   eth0  lan         1.20k   801k    90.1k  1.20G
director   eth1  wan         90.2k  1.30G    1.20k   802k
rs1        eth0  lan         90.3k  1.40G    1.20k   803k
rs2        eth0  lan             0      0        0      0
below
)");
}

TEST(Picture, a_list_that_is_too_long_says_so) {
  EXPECT_EQ(drawn(behind_a_director, busy, {.columns = 80, .rows = 5}), R"(
above
HOST       LINK  NETWORK     SENDS           RECEIVES
client     eth0  wan         1.20k   800k    90.0k  1.10G
… 5 links, more than this terminal's rows
below
)");
}

TEST(Picture, a_terminal_of_any_size_gets_no_more_than_it_has) {
  for (std::size_t rows = 0; rows <= 30; ++rows) {
    for (const std::size_t columns : {0U, 1U, 17U, 38U, 79U, 200U}) {
      EXPECT_LE(draw(behind_a_director, busy, caption, {.columns = columns, .rows = rows}).rows(false).size(), rows);
    }
  }
}

TEST(Picture, networks_that_are_no_neighbours_are_listed) {
  const Topology topology = topology_of(
      "network a 10.0.0.0/8\nnetwork b 11.0.0.0/8\nnetwork c 12.0.0.0/8\n"
      "host h\nrole router\nlink a 10.0.0.1\nlink c 12.0.0.1");
  EXPECT_FALSE(lay_out(topology, {.columns = 200, .rows = 100}));
  EXPECT_THAT(drawn(topology, {}), HasSubstr("h          eth1  c"));
}

TEST(Picture, every_shipped_topology_is_drawn_on_a_terminal_of_80_by_24) {
  const Project project{.root = PENSTOCK_SOURCE_DIR, .bin = PENSTOCK_BIN_DIR};
  const auto names = topology_names(project);
  ASSERT_GE(names.size(), 5U);
  for (const std::string& name : names) {
    const std::string path = topology_path(project, name).value_or("");
    const Topology topology = topology_of(read_file(path).value_or(""));
    EXPECT_TRUE(lay_out(topology, {.columns = 80, .rows = 22})) << name;
  }
}

}  // namespace
}  // namespace penstock::lab
