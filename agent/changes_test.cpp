#include "agent/changes.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

namespace penstock::agent {
namespace {

using testing::Contains;
using testing::HasSubstr;
using testing::IsEmpty;

// A host in memory. It can lose power: from the write numbered `writes_max` on nothing happens any more.
class FakeHost : public Host {
 public:
  explicit FakeHost(std::map<Setting, std::string> values) : values_(std::move(values)) {}

  Result<std::string> read(const Setting& setting) override {
    const auto found = values_.find(setting);
    if (found == values_.end()) return fail(ErrorCode::not_found, "gone");
    return found->second;
  }
  Result<void> write(const Setting& setting, const std::string& value) override {
    if (writes_ >= writes_max_) return fail(ErrorCode::io, "killed");
    ++writes_;
    values_[setting] = value;
    return {};
  }
  Result<std::string> load(const std::string& program) override { return program + " " + std::to_string(++loaded_); }

  void set(const Setting& setting, const std::string& value) { values_[setting] = value; }
  void remove(const Setting& setting) { values_.erase(setting); }
  void die_after(int writes) { writes_max_ = writes_ + writes; }
  void live() { writes_max_ = 1'000'000; }
  [[nodiscard]] int writes() const { return writes_; }
  [[nodiscard]] int loaded() const { return loaded_; }
  [[nodiscard]] const std::map<Setting, std::string>& values() const { return values_; }

 private:
  std::map<Setting, std::string> values_;
  int writes_ = 0;
  int writes_max_ = 1'000'000;
  int loaded_ = 0;
};

const Setting ignore{Kind::sysctl, "net.ipv4.conf.all.arp_ignore"};
const Setting announce{Kind::sysctl, "net.ipv4.conf.all.arp_announce"};
const Setting program{Kind::xdp, "eth0"};
const Setting vip{Kind::address, "192.0.2.40"};
const Setting other_vip{Kind::address, "192.0.2.41"};

const std::map<Setting, std::string> host_as_found{
    {ignore, "0"}, {announce, "1"}, {program, none}, {vip, absent}, {other_vip, absent}};

Plan plan_for(std::vector<Setting> vips, const std::string& told = "one thing") {
  Plan plan{.purpose = "tunnel",
            .settings = {{ignore, "1", {}}, {announce, "2", {}}, {program, "pen_decap_xdp", told}}};
  for (const Setting& address : vips) plan.settings.push_back({address, present, {}});
  return plan;
}

class Changes : public testing::Test {
 protected:
  Started start(const Plan& plan) {
    auto started = agent::start(plan, journal_, host_, [this](const Journal& journal) -> Result<void> {
      journal_ = journal;
      return {};
    });
    EXPECT_TRUE(started) << started.error().message;
    return started ? std::move(*started) : Started{};
  }
  Stopped stop() {
    Stopped stopped = agent::stop(journal_.value_or(Journal{}), host_);
    if (stopped.failures.empty())
      journal_.reset();
    else
      journal_ = stopped.left;
    return stopped;
  }
  std::string value(const Setting& setting) { return host_.read(setting).value_or("gone"); }

  FakeHost host_{host_as_found};
  std::optional<Journal> journal_;
};

TEST_F(Changes, stop_puts_back_what_start_found) {
  EXPECT_FALSE(start(plan_for({vip})).refusal);
  EXPECT_EQ(value(ignore), "1");
  EXPECT_EQ(value(announce), "2");
  EXPECT_EQ(value(program), "pen_decap_xdp 1");
  EXPECT_EQ(value(vip), present);
  EXPECT_THAT(stop().failures, IsEmpty());
  EXPECT_EQ(host_.values(), host_as_found);
}

TEST_F(Changes, second_start_changes_nothing_and_remembers_what_the_first_one_found) {
  start(plan_for({vip}));
  const int writes = host_.writes();
  EXPECT_THAT(start(plan_for({vip})).done, IsEmpty());
  EXPECT_EQ(host_.writes(), writes);
  EXPECT_EQ(host_.loaded(), 1);
  stop();
  EXPECT_EQ(host_.values(), host_as_found);
}

TEST_F(Changes, second_stop_changes_nothing) {
  start(plan_for({vip}));
  stop();
  const int writes = host_.writes();
  stop();
  EXPECT_EQ(host_.writes(), writes);
}

TEST_F(Changes, what_was_there_before_is_there_afterwards) {
  host_.set(vip, present);
  host_.set(ignore, "1");
  start(plan_for({vip}));
  stop();
  EXPECT_EQ(value(vip), present);
  EXPECT_EQ(value(ignore), "1");
  EXPECT_EQ(value(announce), "1");
}

// Killed after each number of writes, then either way out.
TEST_F(Changes, interrupted_start_is_completed_by_another_or_undone) {
  for (int writes = 0; writes <= 4; ++writes) {
    for (const bool is_completed : {false, true}) {
      FakeHost host(host_as_found);
      std::optional<Journal> journal;
      const Save save = [&](const Journal& saved) -> Result<void> {
        journal = saved;
        return {};
      };
      host.die_after(writes);
      (void)agent::start(plan_for({vip}), journal, host, save);
      host.live();
      if (is_completed) {
        const auto again = agent::start(plan_for({vip}), journal, host, save);
        ASSERT_TRUE(again);
        for (const Standing& standing : compare(plan_of(*journal), host)) EXPECT_TRUE(standing.is_right) << writes;
      }
      EXPECT_THAT(agent::stop(*journal, host).failures, IsEmpty());
      EXPECT_EQ(host.values(), host_as_found) << "after " << writes << " writes, completed: " << is_completed;
    }
  }
}

TEST_F(Changes, interrupted_stop_is_completed_by_another) {
  for (int writes = 0; writes < 4; ++writes) {
    start(plan_for({vip}));
    host_.die_after(writes);
    EXPECT_FALSE(stop().failures.empty());
    host_.live();
    EXPECT_THAT(stop().failures, IsEmpty());
    EXPECT_EQ(host_.values(), host_as_found) << writes;
  }
}

TEST_F(Changes, nothing_is_changed_when_the_journal_cannot_be_written) {
  const auto started = agent::start(plan_for({vip}), {}, host_, [](const Journal&) -> Result<void> {
    return fail(ErrorCode::exhausted, "no space");
  });
  EXPECT_FALSE(started);
  EXPECT_EQ(host_.values(), host_as_found);
}

TEST_F(Changes, start_with_another_vip_takes_the_former_one_away) {
  start(plan_for({vip}));
  start(plan_for({other_vip}));
  EXPECT_EQ(value(vip), absent);
  EXPECT_EQ(value(other_vip), present);
  stop();
  EXPECT_EQ(host_.values(), host_as_found);
}

TEST_F(Changes, program_that_is_told_another_thing_is_replaced) {
  start(plan_for({vip}));
  start(plan_for({vip}, "another thing"));
  EXPECT_EQ(value(program), "pen_decap_xdp 2");
  stop();
  EXPECT_EQ(value(program), none);
}

// Killed between the journal, which names the new program, and its attachment: the old one is ours nevertheless.
TEST_F(Changes, program_of_an_interrupted_replacement_is_taken_away) {
  start(plan_for({vip}));
  host_.die_after(0);
  start(plan_for({vip}, "another thing"));
  host_.live();
  EXPECT_EQ(value(program), "pen_decap_xdp 1");
  stop();
  EXPECT_EQ(value(program), none);
}

TEST_F(Changes, program_whose_journal_is_gone_is_taken_over) {
  host_.set(program, "pen_decap_xdp 77");
  start(plan_for({vip}));
  EXPECT_EQ(value(program), "pen_decap_xdp 1");
  stop();
  EXPECT_EQ(value(program), none);
}

TEST_F(Changes, what_somebody_changed_meanwhile_is_left_and_said) {
  start(plan_for({vip}));
  host_.set(announce, "0");
  host_.set(program, "somebody_else 9");
  const Stopped stopped = stop();
  EXPECT_EQ(value(announce), "0");
  EXPECT_EQ(value(program), "somebody_else 9");
  EXPECT_EQ(value(ignore), "0");
  EXPECT_THAT(stopped.notes, Contains(HasSubstr("arp_announce is 0 and not 2")));
  EXPECT_THAT(stopped.notes, testing::SizeIs(2));
}

TEST_F(Changes, interface_that_is_gone_is_no_hindrance) {
  start(plan_for({vip}));
  host_.remove(program);
  EXPECT_THAT(stop().failures, IsEmpty());
  EXPECT_EQ(value(ignore), "0");
}

TEST_F(Changes, refusal_names_the_setting_and_what_was_done_stands) {
  host_.die_after(2);
  const Started started = start(plan_for({vip}));
  ASSERT_TRUE(started.refusal);
  EXPECT_EQ(started.refusal->setting, program);
  EXPECT_THAT(started.done, testing::SizeIs(2));
}

TEST_F(Changes, status_tells_what_stands_and_what_is_missing) {
  start(plan_for({vip}));
  host_.set(vip, absent);
  const auto standing = compare(plan_of(*journal_), host_);
  ASSERT_EQ(standing.size(), 4U);
  EXPECT_TRUE(standing[0].is_right);
  EXPECT_TRUE(standing[2].is_right);
  EXPECT_FALSE(standing[3].is_right);
  EXPECT_EQ(standing[3].current, absent);
}

}  // namespace
}  // namespace penstock::agent
