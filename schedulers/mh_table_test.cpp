#include "schedulers/mh_table.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <limits>
#include <string>

namespace penstock::schedulers {
namespace {

using Positions = std::vector<std::uint32_t>;

Server server(const std::string& address, std::int32_t last_weight, std::uint16_t port = 5000) {
  return {.weight = last_weight, .last_weight = last_weight, .endpoint = {model::parse_address(address).value(), port}};
}

std::vector<Server> numbered(int count) {
  std::vector<Server> servers;
  for (int i = 0; i < count; ++i)
    servers.push_back(server("10.0." + std::to_string(i / 256) + "." + std::to_string(i % 256), 1));
  return servers;
}

std::ptrdiff_t share(const Positions& table, std::uint32_t position) { return std::ranges::count(table, position); }

// ipvs-spec.md §6, a table of the kernel.
TEST(mh_table, is_that_of_ipvs) {
  const std::vector<Server> servers = {server("172.16.0.13", 2), server("172.16.0.12", 1), server("172.16.0.11", 3)};
  const Positions table = mh_table(servers);
  ASSERT_EQ(table.size(), 4093U);
  const Positions first = {0, 0, 0, 1, 1, 2, 2, 0, 0, 0, 0, 2, 2, 2, 1, 1};
  EXPECT_EQ((Positions{table.begin(), table.begin() + 16}), first);
  EXPECT_EQ(share(table, 2), 2046);
  EXPECT_EQ(share(table, 1), 682);
  EXPECT_EQ(share(table, 0), 1365);
}

TEST(mh_table, of_no_servers_or_none_that_ever_weighed_is_empty) {
  EXPECT_TRUE(mh_table({}).empty());
  EXPECT_TRUE(mh_table(std::vector{server("10.0.0.1", 0), server("10.0.0.2", 0)}).empty());
}

TEST(mh_table, of_one_server_is_all_its_own_whatever_it_weighs) {
  for (const std::int32_t weight : {1, 64, std::numeric_limits<std::int32_t>::max()})
    EXPECT_EQ(mh_table(std::vector{server("2001:db8::1", weight)}), Positions(4093, 0)) << weight;
}

TEST(mh_table, leaves_out_a_server_that_never_weighed) {
  const Positions table = mh_table(std::vector{server("10.0.0.1", 0), server("10.0.0.2", 1)});
  EXPECT_EQ(table, Positions(4093, 1));
}

TEST(mh_table, does_not_ask_the_present_weight) {
  std::vector<Server> servers = {server("10.0.0.1", 2), server("10.0.0.2", 1)};
  const Positions before = mh_table(servers);
  servers[0].weight = 0;
  EXPECT_EQ(mh_table(servers), before);
}

TEST(mh_table, moves_only_few_clients_of_others_when_a_server_goes) {
  const std::vector<Server> ten = numbered(10);
  const Positions before = mh_table(ten);
  const Positions after = mh_table(std::span(ten).subspan(1));
  int moved = 0;
  for (std::size_t entry = 0; entry < before.size(); ++entry)
    moved += before[entry] != 0 && before[entry] != after[entry] + 1;
  EXPECT_LT(moved, 4093 / 10) << "a plain modulo would move nearly all";
}

TEST(mh_table, divides_turns_by_what_weights_have_in_common) {
  EXPECT_EQ(mh_table(std::vector{server("10.0.0.1", 100), server("10.0.0.2", 200)}),
            mh_table(std::vector{server("10.0.0.1", 1), server("10.0.0.2", 2)}));
}

// 63 is the largest weight that is not shifted: 63 and 1 are themselves, 64 and 1 become 32 and max(0, 1).
TEST(mh_table, shifts_weights_into_six_bits) {
  EXPECT_EQ(share(mh_table(std::vector{server("10.0.0.1", 63), server("10.0.0.2", 1)}), 1), 4093 / 64);
  EXPECT_EQ(mh_table(std::vector{server("10.0.0.1", 64), server("10.0.0.2", 1)}),
            mh_table(std::vector{server("10.0.0.1", 32), server("10.0.0.2", 1)}));
}

TEST(mh_table, gives_one_entry_each_when_full) {
  const Positions table = mh_table(numbered(4093));
  for (std::uint32_t position = 0; position < 4093; ++position) ASSERT_EQ(share(table, position), 1) << position;
}

TEST(mh_table, of_too_many_servers_is_of_the_first) {
  const Positions table = mh_table(numbered(5000));
  ASSERT_EQ(table.size(), 4093U);
  EXPECT_EQ(*std::ranges::max_element(table), 4092U);
}

}  // namespace
}  // namespace penstock::schedulers
