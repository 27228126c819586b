#include "doctor/rules.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "doctor/facts_test_world.hpp"

namespace penstock::doctor {
namespace {

TEST(Rules, find_nothing_on_healthy_hosts) {
  for (const Host host :
       {direct_director, nat_director, tunnel_director, fullnat_director, direct_server, tunnel_server, nat_server})
    EXPECT_THAT(examine(host()), testing::IsEmpty());
}

TEST(Rules, find_nothing_where_nothing_was_seen) { EXPECT_THAT(examine(Facts{}), testing::IsEmpty()); }

TEST(Rules, there_is_one_for_each_fault) { EXPECT_EQ(rules().size(), catalogue().size()); }

TEST(Rules, errors_come_before_warnings) {
  Facts facts = direct_director();
  facts.director->services.push_back({.service = {.key = {.vip = {at("172.16.0.40"), 81}}}});
  std::erase_if(facts.addresses, [](const OwnAddress& own) { return own.address == at("172.16.0.40"); });
  const Findings found = examine(facts);
  ASSERT_EQ(found.size(), 2U);
  EXPECT_EQ(found[0].fault, Fault::vip_not_on_director);
  EXPECT_EQ(found[1].fault, Fault::service_without_servers);
}

// Of all rules: their cases are beside them.
TEST_P(RuleTest, speaks_of_the_fault_alone) {
  const RuleCase& one = GetParam();
  Facts facts = one.host();
  EXPECT_THAT(of(one.fault, facts), testing::IsEmpty());
  one.spoil(facts);
  const Findings found = of(one.fault, facts);
  if (one.says.empty()) {
    EXPECT_THAT(found, testing::IsEmpty());
    return;
  }
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].fault, one.fault);
  EXPECT_THAT(found[0].what, testing::HasSubstr(one.says));
  EXPECT_FALSE(found[0].mend.empty());
  EXPECT_EQ(found[0].mend.ends_with(':'), !found[0].commands.empty());
}

TEST(Catalogue, ids_are_unique_and_lower_case_with_hyphens) {
  std::set<std::string_view> ids;
  for (const CatalogueRow& row : catalogue()) {
    EXPECT_TRUE(ids.insert(row.id).second) << row.id;
    EXPECT_EQ(row.id.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789-"), row.id.npos) << row.id;
    EXPECT_TRUE(row.meaning.ends_with('.') || row.meaning.ends_with(')')) << row.id;
  }
}

}  // namespace
}  // namespace penstock::doctor
