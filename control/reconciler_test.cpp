// The plan is carried out step by step on a model of the tables, and after every step the tables must make sense to a packet.
#include "control/reconciler.hpp"

#include <gtest/gtest.h>

#include <functional>
#include <map>
#include <random>

namespace penstock::control {
namespace {

struct ModelTables {
  std::map<u32, RealServer> servers;
  std::map<u32, std::vector<u32>> schedules;  // by offset
  std::map<model::ServiceKey, ScheduleRef> services;

  void carry_out(const WriteServer& step) { servers[step.slot] = step.row; }
  void carry_out(const WriteSchedule& step) {
    for (const auto& [key, schedule] : services)
      ASSERT_FALSE(schedule.size > 0 && schedule.offset == step.region.offset)
          << "a schedule in use is not overwritten";
    schedules[step.region.offset] = step.slots;
  }
  void carry_out(const PublishService& step) { services[step.key] = step.schedule; }
  void carry_out(const RemoveService& step) { services.erase(step.key); }
  void carry_out(const WithdrawServer& step) { servers[step.slot].route.available = 0; }

  void expect_every_pick_to_find_a_server() const {
    for (const auto& [key, schedule] : services) {
      if (schedule.size == 0) continue;
      const auto region = schedules.find(schedule.offset);
      ASSERT_NE(region, schedules.end());
      ASSERT_EQ(region->second.size(), schedule.size);
      for (const u32 slot : region->second) {
        ASSERT_TRUE(servers.contains(slot));
        ASSERT_EQ(servers.at(slot).route.available, 1);
      }
    }
  }
};

model::ServiceKey key_number(std::uint16_t number) {
  model::ServiceKey key;
  key.vip.port = number;
  return key;
}

// A program with servers in `slots`, in a region of its own.
std::shared_ptr<const ServiceProgram> program(u32 id, const std::vector<u32>& slots, u32 offset, u32 next_hop = 1) {
  ServiceProgram made;
  made.id = id;
  std::vector<schedulers::Server> servers;
  for (const u32 slot : slots) {
    RealServer row{};
    row.route = {.next_hop = next_hop, .generation = 1, .method = Method::direct, .available = 1};
    made.servers.push_back({slot, row, {.weight = 1, .last_weight = 1}});
    servers.push_back({.weight = 1, .last_weight = 1, .endpoint = {}});
  }
  made.schedule = schedulers::begin(schedulers::Kind::rr, servers);
  if (!slots.empty()) made.region = {.offset = offset, .size = static_cast<u32>(slots.size())};
  return std::make_shared<const ServiceProgram>(std::move(made));
}

template <typename Wanted>
std::size_t count_of(const std::vector<Step>& steps) {
  std::size_t count = 0;
  for (const Step& step : steps) count += std::holds_alternative<Wanted>(step) ? 1U : 0U;
  return count;
}

TEST(reconciler, nothing_changed_is_no_step) {
  const Programs programs = {{key_number(1), program(1, {1, 2}, 8)}};
  EXPECT_TRUE(plan(programs, programs).empty());
  const Programs equal = {{key_number(1), program(1, {1, 2}, 8)}};
  EXPECT_TRUE(plan(equal, programs).empty()) << "equal, though made anew";
}

TEST(reconciler, the_record_comes_after_all_it_points_to) {
  const auto steps = plan({{key_number(1), program(1, {1, 2}, 8)}}, {});
  ASSERT_EQ(steps.size(), 4U);
  EXPECT_TRUE(std::holds_alternative<WriteServer>(steps[0]));
  EXPECT_TRUE(std::holds_alternative<WriteServer>(steps[1]));
  EXPECT_EQ(std::get<WriteSchedule>(steps[2]).slots, (std::vector<u32>{1, 2}));
  EXPECT_EQ(std::get<PublishService>(steps[3]).schedule.offset, 8U);
}

TEST(reconciler, a_server_is_withdrawn_after_the_flip) {
  const auto steps = plan({{key_number(1), program(1, {1}, 16)}}, {{key_number(1), program(1, {1, 2}, 8)}});
  ASSERT_EQ(steps.size(), 3U);
  EXPECT_TRUE(std::holds_alternative<WriteSchedule>(steps[0]));
  EXPECT_TRUE(std::holds_alternative<PublishService>(steps[1]));
  EXPECT_EQ(std::get<WithdrawServer>(steps[2]).slot, 2U);
}

TEST(reconciler, a_record_goes_before_its_servers) {
  const auto steps = plan({}, {{key_number(1), program(1, {1}, 8)}});
  ASSERT_EQ(steps.size(), 2U);
  EXPECT_TRUE(std::holds_alternative<RemoveService>(steps[0]));
  EXPECT_TRUE(std::holds_alternative<WithdrawServer>(steps[1]));
}

TEST(reconciler, a_changed_row_alone_leaves_record_and_schedule) {
  const auto steps = plan({{key_number(1), program(1, {1, 2}, 8, 5)}}, {{key_number(1), program(1, {1, 2}, 8, 1)}});
  EXPECT_EQ(steps.size(), 2U);
  EXPECT_EQ(count_of<WriteServer>(steps), 2U);
}

// The same with something changed.
std::shared_ptr<const ServiceProgram> changed(const std::shared_ptr<const ServiceProgram>& from,
                                              const std::function<void(ServiceProgram&)>& change) {
  ServiceProgram made = *from;
  change(made);
  return std::make_shared<const ServiceProgram>(std::move(made));
}

TEST(reconciler, a_weight_or_threshold_alone_writes_that_server) {
  const auto before = program(1, {1, 2}, 8);
  const auto weight = changed(before, [](ServiceProgram& each) { each.servers[1].terms.weight = 5; });
  const auto steps = plan({{key_number(1), weight}}, {{key_number(1), before}});
  ASSERT_EQ(steps.size(), 1U);
  EXPECT_EQ(std::get<WriteServer>(steps[0]).slot, 2U);
  EXPECT_EQ(std::get<WriteServer>(steps[0]).terms.weight, 5);
  const auto threshold = changed(before, [](ServiceProgram& each) { each.servers[0].terms.upper_threshold = 9; });
  EXPECT_EQ(count_of<WriteServer>(plan({{key_number(1), threshold}}, {{key_number(1), before}})), 1U);
}

TEST(reconciler, changed_terms_are_published_without_a_new_schedule) {
  const auto before = program(1, {1, 2}, 8);
  const auto persistent = changed(before, [](ServiceProgram& each) {
    each.terms = {.flags = service_persistent, .persistence_ticks = 300, .netmask = 24};
  });
  const auto steps = plan({{key_number(1), persistent}}, {{key_number(1), before}});
  ASSERT_EQ(steps.size(), 1U);
  const auto& published = std::get<PublishService>(steps[0]);
  EXPECT_EQ(published.terms, persistent->terms);
  EXPECT_EQ(published.schedule.offset, 8U);
}

TEST(reconciler, a_schedule_says_how_it_is_read) {
  const auto want = changed(program(1, {1, 2}, 8), [](ServiceProgram& each) {
    each.head.kind = SchedulerKind::ranked;
    each.head.overflow = 1;
  });
  const auto steps = plan({{key_number(1), want}}, {});
  const auto& written = std::get<WriteSchedule>(steps[2]);
  EXPECT_EQ(written.head.kind, SchedulerKind::ranked);
  EXPECT_EQ(written.head.overflow, 1);
}

TEST(reconciler, any_way_between_two_states_never_sends_a_pick_to_nowhere) {
  for (unsigned seed = 1; seed <= 300; ++seed) {
    SCOPED_TRACE(seed);
    std::mt19937 random(seed);
    ModelTables tables;
    Programs have;
    u32 next_offset = 8;
    for (int round = 0; round < 8; ++round) {
      Programs want = have;
      for (std::uint16_t number = 1; number <= 4; ++number) {
        if (random() % 2) continue;
        if (random() % 3 == 0) {
          want.erase(key_number(number));
          continue;
        }
        std::vector<u32> slots;  // each service has slots of its own
        for (u32 slot = 0; slot < 5; ++slot)
          if (random() % 2) slots.push_back(number * 10U + slot);
        want[key_number(number)] = program(number, slots, next_offset += 8);
      }
      for (const Step& step : plan(want, have)) {
        std::visit([&](const auto& known) { tables.carry_out(known); }, step);
        tables.expect_every_pick_to_find_a_server();
        if (HasFatalFailure()) return;
      }
      ASSERT_EQ(tables.services.size(), want.size());
      for (const auto& [key, wanted] : want) {
        ASSERT_TRUE(is_same(tables.services.at(key), wanted->region));
        if (wanted->region.size > 0) {
          ASSERT_EQ(tables.schedules.at(wanted->region.offset), picked_slots(*wanted));
        }
      }
      have = want;
    }
  }
}

}  // namespace
}  // namespace penstock::control
