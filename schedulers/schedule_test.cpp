// rr and wrr against the recordings of IPVS (sched-rr-*, sched-wrr-*), and against a direct model of its walk over a list; and
// which table each scheduler has.
#include "schedulers/schedule.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <list>
#include <numeric>
#include <optional>
#include <random>
#include <string>
#include <variant>

#include "schedulers/wrr_table.hpp"

namespace penstock::schedulers {
namespace {

struct Member {
  int id;
  std::int32_t weight;
};

std::vector<Server> servers_of(const std::vector<std::int32_t>& weights) {
  std::vector<Server> servers;
  for (const std::int32_t weight : weights)
    servers.push_back({.weight = weight, .last_weight = weight, .endpoint = {}});
  return servers;
}

// A service as the writer keeps it: a list, newest first, and the schedule that was made of it last.
class Director {
 public:
  explicit Director(Kind kind) : schedule_(begin(kind, {})) {}

  void add(int id, std::int32_t weight) {
    servers_.insert(servers_.begin(), Member{id, weight});
    after(Change{Change::What::added, 0});
  }
  void edit(int id, std::int32_t weight) {
    servers_[position(id)].weight = weight;
    after(Change{Change::What::edited, position(id)});
  }
  void remove(int id) {
    const std::uint32_t gone = position(id);
    servers_.erase(servers_.begin() + gone);
    after(Change{Change::What::removed, gone});
  }
  // 0: no server takes new connections.
  int pick() {
    if (schedule_.picks.empty()) return 0;
    return servers_[schedule_.picks[taken_++ % schedule_.picks.size()]].id;
  }
  std::string pick(int times) {
    std::string picked;
    for (int i = 0; i < times; ++i) picked += (i ? " " : "") + std::to_string(pick());
    return picked;
  }
  [[nodiscard]] const Schedule& schedule() const { return schedule_; }
  [[nodiscard]] std::vector<Server> servers() const {
    std::vector<std::int32_t> weights;
    for (const Member& server : servers_) weights.push_back(server.weight);
    return servers_of(weights);
  }

 private:
  std::uint32_t position(int id) const {
    std::uint32_t at = 0;
    while (servers_[at].id != id) ++at;
    return at;
  }
  void after(Change what) {
    schedule_ = change(schedule_, taken_, what, servers());
    taken_ = 0;
  }

  std::vector<Member> servers_;
  Schedule schedule_;
  std::uint64_t taken_ = 0;
};

struct Add {
  int id;
  std::int32_t weight;
};
struct Edit {
  int id;
  std::int32_t weight;
};
struct Remove {
  int id;
};
struct Serves {
  const char* order;
};
using Step = std::variant<Add, Edit, Remove, Serves>;

struct Recording {
  const char* name;
  Kind kind;
  std::vector<Step> steps;
};

// Numbers are the rsN of the recordings.
const Recording recordings[] = {
    {"sched-rr-equal", Kind::rr, {Add{1, 1}, Add{2, 1}, Add{3, 1}, Serves{"3 2 1 3 2 1 3 2 1"}}},
    {"sched-rr-weights", Kind::rr, {Add{1, 5}, Add{2, 1}, Add{3, 3}, Serves{"3 2 1 3 2 1 3"}}},
    {"sched-rr-change",
     Kind::rr,
     {Add{1, 1}, Add{2, 1}, Add{3, 1}, Serves{"3 2 1 3"}, Remove{2}, Serves{"1 3 1 3 1"}, Add{4, 1},
      Serves{"4 3 1 4 3"}, Edit{1, 0}, Serves{"4 3 4 3 4"}, Add{2, 1}, Serves{"3 2 4 3 2"}}},
    {"sched-wrr-1_1_1", Kind::wrr, {Add{1, 1}, Add{2, 1}, Add{3, 1}, Serves{"3 2 1 3 2 1 3 2 1"}}},
    {"sched-wrr-3_1", Kind::wrr, {Add{1, 3}, Add{2, 1}, Serves{"2 1 1 1 2 1 1 1 2 1 1"}}},
    {"sched-wrr-0_1_2", Kind::wrr, {Add{1, 0}, Add{2, 1}, Add{3, 2}, Serves{"3 2 3 3 2 3 3 2 3"}}},
    {"sched-wrr-100_50", Kind::wrr, {Add{1, 100}, Add{2, 50}, Serves{"2 1 1 2 1 1 2 1 1"}}},
    {"sched-wrr-10_20_30", Kind::wrr, {Add{1, 10}, Add{2, 20}, Add{3, 30}, Serves{"3 2 1 3 3 2 3 2 1 3 3 2 3 2 1"}}},
    {"sched-wrr-4_2_1", Kind::wrr, {Add{1, 4}, Add{2, 2}, Add{3, 1}, Serves{"3 2 1 1 1 2 1 3 2 1 1 1 2 1 3 2 1"}}},
    {"sched-wrr-7_3_2",
     Kind::wrr,
     {Add{1, 7}, Add{2, 3}, Add{3, 2}, Serves{"3 2 1 1 1 1 1 2 1 3 2 1 3 2 1 1 1 1 1 2 1 3 2 1 3 2 1"}}},
    {"sched-wrr-change",
     Kind::wrr,
     {Add{1, 2}, Add{2, 1}, Serves{"2 1 1 2 1"}, Edit{1, 5}, Serves{"2 1 1 1 1 1 2 1 1 1"}, Add{3, 2},
      Serves{"1 1 3 1 3 2 1 1 1 1"}, Edit{1, 0}, Serves{"3 3 2 3 3 2"}, Remove{2}, Serves{"3 3 3 3"}}},
    // ipvs-spec.md §6
    {"wrr 3 1 2", Kind::wrr, {Add{1, 3}, Add{2, 1}, Add{3, 2}, Serves{"3 2 1 1 3 1 3 2 1 1 3 1"}}},
    {"wrr 4 6 10", Kind::wrr, {Add{1, 4}, Add{2, 6}, Add{3, 10}, Serves{"3 2 1 3 3 3 2 3 2 1"}}},
};

int count_of(const std::string& order) { return 1 + static_cast<int>(std::count(order.begin(), order.end(), ' ')); }

TEST(schedule, serves_in_the_order_of_the_recordings) {
  for (const Recording& recording : recordings) {
    SCOPED_TRACE(recording.name);
    Director director(recording.kind);
    for (const Step& step : recording.steps) {
      if (const auto* added = std::get_if<Add>(&step)) director.add(added->id, added->weight);
      if (const auto* edited = std::get_if<Edit>(&step)) director.edit(edited->id, edited->weight);
      if (const auto* removed = std::get_if<Remove>(&step)) director.remove(removed->id);
      if (const auto* serves = std::get_if<Serves>(&step)) {
        EXPECT_EQ(director.pick(count_of(serves->order)), serves->order);
      }
    }
  }
}

// IPVS's algorithms step by step over a linked list, as the specification tells them.
class Walker {
 public:
  explicit Walker(Kind kind) : kind_(kind) {}

  void add(int id, std::int32_t weight) {
    list_.push_front({id, weight});
    if (kind_ == Kind::wrr) weights_changed();
  }
  void edit(int id, std::int32_t weight) {
    for (Member& member : list_)
      if (member.id == id) member.weight = weight;
    if (kind_ == Kind::wrr) weights_changed();
  }
  void remove(int id) {
    std::optional<int> predecessor;
    for (const Member& member : list_) {
      if (member.id == id) break;
      predecessor = member.id;
    }
    if (last_ == id) last_ = predecessor;
    list_.remove_if([&](const Member& member) { return member.id == id; });
    if (kind_ == Kind::wrr) weights_changed();
  }
  int pick() { return kind_ == Kind::rr ? pick_rr() : pick_wrr(); }

 private:
  // The one behind `last_`; at the end nothing.
  std::list<Member>::iterator next() {
    if (!last_) return list_.begin();
    auto at = list_.begin();
    while (at->id != *last_) ++at;
    return ++at;
  }
  int pick_rr() {
    auto at = next();
    for (std::size_t seen = 0; seen < list_.size(); ++seen, ++at) {
      if (at == list_.end()) at = list_.begin();
      if (at->weight <= 0) continue;
      last_ = at->id;
      return at->id;
    }
    return 0;
  }
  int pick_wrr() {
    if (top_ == 0) return 0;
    for (auto at = next();; ++at) {
      if (at == list_.end()) {
        current_ -= divisor_;
        if (current_ <= 0) current_ = top_;
        at = list_.begin();
      }
      if (at->weight < current_) continue;
      last_ = at->id;
      return at->id;
    }
  }
  void weights_changed() {
    last_.reset();
    divisor_ = 0;
    int largest = 0;
    for (const Member& member : list_) {
      if (member.weight <= 0) continue;
      divisor_ = divisor_ == 0 ? member.weight : std::gcd(divisor_, member.weight);
      largest = std::max(largest, member.weight);
    }
    if (divisor_ == 0) divisor_ = 1;
    top_ = largest - (divisor_ - 1);
    if (current_ > top_ || current_ == 0)
      current_ = top_;
    else if (divisor_ > 1)
      current_ = current_ / divisor_ * divisor_ + 1;
  }

  Kind kind_;
  std::list<Member> list_;
  std::optional<int> last_;
  int divisor_ = 1;
  int top_ = 0;
  int current_ = 0;
};

void compare_over_random_changes(Kind kind, unsigned seed) {
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random(seed);
  const auto below = [&](int bound) { return std::uniform_int_distribution<int>(0, bound - 1)(random); };
  Director director(kind);
  Walker walker(kind);
  std::vector<int> present;
  const int unit = 1 + below(4) * below(3);  // often a common divisor
  for (int change_number = 1; change_number <= 40; ++change_number) {
    const int what = below(4);
    const std::int32_t weight = below(8) * unit;
    if (what < 2 || present.empty()) {
      present.push_back(change_number);
      director.add(change_number, weight);
      walker.add(change_number, weight);
    } else {
      const auto chosen = present.begin() + below(static_cast<int>(present.size()));
      if (what == 2) {
        director.edit(*chosen, weight);
        walker.edit(*chosen, weight);
      } else {
        director.remove(*chosen);
        walker.remove(*chosen);
        present.erase(chosen);
      }
    }
    for (int i = below(25); i > 0; --i) ASSERT_EQ(director.pick(), walker.pick()) << "after change " << change_number;
  }
}

TEST(schedule, follows_ipvs_over_random_changes) {
  for (unsigned seed = 1; seed <= 500; ++seed) {
    compare_over_random_changes(Kind::rr, seed);
    compare_over_random_changes(Kind::wrr, seed);
    if (HasFatalFailure()) return;
  }
}

TEST(schedule, is_the_same_again_from_its_start) {
  Director director(Kind::wrr);
  director.add(1, 2);
  director.add(2, 1);
  director.pick(5);
  director.edit(1, 5);
  const Schedule& made = director.schedule();
  const Schedule copy = again(made.kind, made.start, director.servers());
  EXPECT_EQ(copy.picks, made.picks);
  EXPECT_EQ(copy.start, made.start);
}

TEST(schedule, takes_a_start_that_never_was_for_the_beginning) {
  const std::vector<Server> servers = servers_of({10, 20, 30});
  const Schedule fresh = begin(Kind::wrr, servers);
  for (const std::int32_t nonsense : {-5, 0, 2, 22, 31}) {
    State start;
    start.current_weight = nonsense;
    EXPECT_EQ(again(Kind::wrr, start, servers).picks, fresh.picks) << nonsense;
  }
  for (const std::int32_t nonsense : {-2, 3}) {
    State start;
    start.cursor = nonsense;
    EXPECT_EQ(again(Kind::rr, start, servers).picks, (std::vector<std::uint32_t>{0, 1, 2})) << nonsense;
  }
}

using Positions = std::vector<std::uint32_t>;

const Kind all_kinds[] = {Kind::rr, Kind::wrr, Kind::lc, Kind::wlc, Kind::sed, Kind::nq,   Kind::lblc, Kind::lblcr,
                          Kind::dh, Kind::sh,  Kind::mh, Kind::fo,  Kind::ovf, Kind::twos, Kind::none};

TEST(schedule, of_no_server_is_empty) {
  for (const Kind kind : all_kinds) EXPECT_TRUE(begin(kind, {}).picks.empty()) << static_cast<int>(kind);
}

TEST(schedule, of_quiesced_servers_is_empty_where_the_packet_path_asks_no_weight) {
  const std::vector<Server> quiesced = servers_of({0, 0});
  for (const Kind kind : {Kind::rr, Kind::wrr, Kind::fo, Kind::ovf, Kind::none})
    EXPECT_TRUE(begin(kind, quiesced).picks.empty()) << static_cast<int>(kind);
}

TEST(schedule, of_a_least_loaded_scheduler_is_the_list) {
  for (const Kind kind : {Kind::lc, Kind::wlc, Kind::sed, Kind::nq, Kind::twos, Kind::lblc, Kind::lblcr})
    EXPECT_EQ(begin(kind, servers_of({0, 3, 1})).picks, (Positions{0, 1, 2})) << static_cast<int>(kind);
}

TEST(schedule, of_a_ranked_scheduler_is_by_weight) {
  for (const Kind kind : {Kind::fo, Kind::ovf})
    EXPECT_EQ(begin(kind, servers_of({1, 0, 3, 1, 3})).picks, (Positions{2, 4, 0, 3})) << static_cast<int>(kind);
}

TEST(schedule, of_a_hashing_scheduler_has_its_buckets) {
  EXPECT_EQ(begin(Kind::dh, servers_of({1, 1})).picks.size(), 256U);
  EXPECT_EQ(begin(Kind::sh, servers_of({1, 1})).picks.size(), 256U);
  EXPECT_EQ(begin(Kind::mh, servers_of({1, 1})).picks.size(), 4093U);
}

TEST(schedule, is_rebuilt_of_the_servers_alone_but_for_rr_and_wrr) {
  const std::vector<Server> before = servers_of({1, 1});
  const std::vector<Server> after = servers_of({2, 1, 1});
  for (const Kind kind : all_kinds) {
    if (kind == Kind::rr || kind == Kind::wrr) continue;
    SCOPED_TRACE(static_cast<int>(kind));
    const Schedule changed = change(begin(kind, before), 7, Change{Change::What::added, 0}, after);
    EXPECT_EQ(changed.kind, kind);
    EXPECT_EQ(changed.start, State{});
    EXPECT_EQ(changed.picks, begin(kind, after).picks);
    EXPECT_EQ(again(kind, changed.start, after).picks, changed.picks);
  }
}

TEST(schedule, has_room_for_as_many_servers_as_mh_has_entries) {
  EXPECT_TRUE(has_room(Kind::mh, 4093));
  EXPECT_FALSE(has_room(Kind::mh, 4094));
  EXPECT_TRUE(has_room(Kind::sh, 4094));
}

std::size_t share(const std::vector<std::uint32_t>& picks, std::uint32_t position) {
  return static_cast<std::size_t>(std::count(picks.begin(), picks.end(), position));
}

TEST(wrr_table, the_longest_cycle_is_exact) {
  const std::vector<std::int32_t> weights = {65535, 1};
  const WrrTable table = wrr_begin(weights);
  EXPECT_FALSE(table.scaled);
  EXPECT_EQ(table.picks.size(), wrr_entries_max);
  EXPECT_EQ(share(table.picks, 1), 1U);
}

TEST(wrr_table, a_longer_cycle_is_scaled_down_and_says_so) {
  const std::vector<std::int32_t> weights = {2'000'000'001, 1'000'000'000, 1, 0};
  const WrrTable table = wrr_begin(weights);
  EXPECT_TRUE(table.scaled);
  EXPECT_LE(table.picks.size(), wrr_entries_max);
  EXPECT_NEAR(static_cast<double>(share(table.picks, 0)) / static_cast<double>(share(table.picks, 1)), 2.0, 0.001);
  EXPECT_EQ(share(table.picks, 2), 1U) << "nobody who takes connections is left out";
  EXPECT_EQ(share(table.picks, 3), 0U);
}

TEST(wrr_table, large_weights_with_a_large_divisor_are_short) {
  const std::vector<std::int32_t> weights = {2'000'000'000, 1'000'000'000};
  const WrrTable table = wrr_begin(weights);
  EXPECT_FALSE(table.scaled);
  EXPECT_EQ(table.picks, (std::vector<std::uint32_t>{0, 0, 1}));
}

}  // namespace
}  // namespace penstock::schedulers
