#include "lab/nfs/node_table.hpp"

#include <gtest/gtest.h>

namespace penstock::lab {
namespace {

TEST(NodeTable, a_handle_has_one_number_as_long_as_the_kernel_knows_it) {
  NodeTable nodes("root");
  EXPECT_EQ(nodes.handle(NodeTable::root), "root");
  const auto a = nodes.look_up("a");
  EXPECT_NE(a, NodeTable::root);
  EXPECT_EQ(nodes.look_up("a"), a);
  EXPECT_NE(nodes.look_up("b"), a);
  nodes.forget(a, 1);
  EXPECT_EQ(nodes.look_up("a"), a);
  nodes.forget(a, 2);
  EXPECT_EQ(nodes.size(), 2U);
}

TEST(NodeTable, a_number_is_not_given_again) {
  NodeTable nodes("root");
  const auto first = nodes.look_up("a");
  nodes.forget(first, 1);
  EXPECT_NE(nodes.look_up("a"), first);
}

TEST(NodeTable, the_root_is_never_forgotten) {
  NodeTable nodes("root");
  EXPECT_EQ(nodes.look_up("root"), NodeTable::root);
  nodes.forget(NodeTable::root, 7);
  EXPECT_EQ(nodes.handle(NodeTable::root), "root");
}

TEST(NodeTable, forgetting_too_much_or_the_unknown_does_no_harm) {
  NodeTable nodes("root");
  const auto a = nodes.look_up("a");
  nodes.forget(a, 9);
  nodes.forget(a, 1);
  nodes.forget(12345, 1);
  EXPECT_EQ(nodes.size(), 1U);
}

TEST(NodeTable, a_change_in_any_part_of_the_version_counts) {
  NodeTable nodes("root");
  const auto a = nodes.look_up("a");
  const Version first{.size = 1, .mtime_ns = 2, .ctime_ns = 3};
  EXPECT_FALSE(nodes.is_unchanged_since_last_open(a, first));
  EXPECT_TRUE(nodes.is_unchanged_since_last_open(a, first));
  for (const Version& changed : {Version{2, 2, 3}, Version{2, 3, 3}, Version{2, 3, 4}}) {
    EXPECT_FALSE(nodes.is_unchanged_since_last_open(a, changed));
    EXPECT_TRUE(nodes.is_unchanged_since_last_open(a, changed));
  }
}

}  // namespace
}  // namespace penstock::lab
