#include "agent/changes.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <ranges>

namespace penstock::agent {
namespace {

// A program of ours that no journal knows, of a start whose journal is gone: nothing worth putting back.
std::string found_value(const Wanted& wanted, const std::string& current) {
  return is_program(wanted.setting.kind) && is_ours(wanted.setting, current, wanted.value) ? none : current;
}

// A program that is attached and was told the same stays; otherwise a new one is loaded.
Result<std::string> value_to_write(const Wanted& wanted, const Change* before, const std::string& current, Host& host) {
  if (!is_program(wanted.setting.kind)) return wanted.value;
  if (before != nullptr && before->made_from == wanted.made_from && before->wanted == current) return current;
  return host.load(wanted.value);
}

Result<Change> change_for(const Wanted& wanted, const Change* before, Host& host) {
  const auto current = host.read(wanted.setting);
  if (!current) return fail(current.error());
  auto value = value_to_write(wanted, before, *current, host);
  if (!value) return fail(std::move(value.error()));
  return Change{.setting = wanted.setting,
                .found = before != nullptr ? before->found : found_value(wanted, *current),
                .wanted = std::move(*value),
                .made_from = wanted.made_from};
}

bool is_wanted(const Plan& plan, const Setting& setting) {
  return std::ranges::find(plan.settings, setting, &Wanted::setting) != plan.settings.end();
}

// What an earlier start changed and this one does not want.
Journal leftovers_of(const Plan& plan, const std::optional<Journal>& before) {
  Journal leftovers;
  if (!before) return leftovers;
  for (const Change& change : before->changes)
    if (!is_wanted(plan, change.setting)) leftovers.changes.push_back(change);
  return leftovers;
}

Result<Journal> journal_for(const Plan& plan, const std::optional<Journal>& before, Host& host) {
  Journal journal{.purpose = plan.purpose, .changes = {}};
  for (const Wanted& wanted : plan.settings) {
    auto change = change_for(wanted, before ? find_change(*before, wanted.setting) : nullptr, host);
    if (!change) return with_context(to_string(wanted.setting), std::move(change.error()));
    journal.changes.push_back(std::move(*change));
  }
  return journal;
}

Result<void> make(const Change& change, Host& host, Started& started) {
  const auto current = host.read(change.setting);
  if (!current) return fail(current.error());
  if (*current == change.wanted) return {};
  if (auto written = host.write(change.setting, change.wanted); !written) return written;
  started.done.push_back(fmt::format("{}: {} (was {})", to_string(change.setting), change.wanted, *current));
  return {};
}

void put_back(const Change& change, Host& host, Stopped& stopped) {
  const auto current = host.read(change.setting);
  if (!current && current.error().code == ErrorCode::not_found) return;
  const auto fails = [&](const Error& error) {
    stopped.failures.push_back(fmt::format("{}: {}", to_string(change.setting), error.message));
    stopped.left.changes.push_back(change);
  };
  if (!current) return fails(current.error());
  if (*current == change.found) return;
  if (!is_ours(change.setting, *current, change.wanted)) {
    stopped.notes.push_back(fmt::format("{} is {} and not {}, as `start` left it: not touched",
                                        to_string(change.setting), *current, change.wanted));
    return;
  }
  if (const auto written = host.write(change.setting, change.found); !written) return fails(written.error());
  stopped.done.push_back(fmt::format("{}: {} again", to_string(change.setting), change.found));
}

}  // namespace

Result<Started> start(const Plan& plan, const std::optional<Journal>& before, Host& host, const Save& save) {
  Started started;
  auto wanted = journal_for(plan, before, host);
  if (!wanted) return fail(std::move(wanted.error()));
  const Journal leftovers = leftovers_of(plan, before);
  started.journal = std::move(*wanted);
  Journal whole = started.journal;
  whole.changes.insert(whole.changes.begin(), leftovers.changes.begin(), leftovers.changes.end());
  if (auto saved = save(whole); !saved) return fail(std::move(saved.error()));

  Stopped put_back_before = stop(leftovers, host);
  started.done = std::move(put_back_before.done);
  if (!put_back_before.failures.empty()) return fail(ErrorCode::io, put_back_before.failures.front());
  if (!leftovers.changes.empty()) {
    if (auto saved = save(started.journal); !saved) return fail(std::move(saved.error()));
  }
  for (const Change& change : started.journal.changes) {
    if (auto made = make(change, host, started); !made) {
      started.refusal = Refusal{change.setting, std::move(made.error())};
      return started;
    }
  }
  return started;
}

Stopped stop(const Journal& journal, Host& host) {
  Stopped stopped{.left = {.purpose = journal.purpose, .changes = {}}, .done = {}, .notes = {}, .failures = {}};
  for (const Change& change : journal.changes | std::views::reverse) put_back(change, host, stopped);
  std::ranges::reverse(stopped.left.changes);
  return stopped;
}

std::vector<Standing> compare(const Plan& plan, Host& host) {
  std::vector<Standing> standing;
  for (const Wanted& wanted : plan.settings) {
    const auto current = host.read(wanted.setting);
    standing.push_back({.setting = wanted.setting,
                        .wanted = wanted.value,
                        .current = current ? *current : current.error().message,
                        .is_right = current && stands(wanted.setting, *current, wanted.value)});
  }
  return standing;
}

Plan plan_of(const Journal& journal) {
  Plan plan{.purpose = journal.purpose, .settings = {}};
  for (const Change& change : journal.changes)
    plan.settings.push_back({.setting = change.setting, .value = change.wanted, .made_from = change.made_from});
  return plan;
}

}  // namespace penstock::agent
