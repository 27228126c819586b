// The part of the writer that is about neither services nor servers: settings, mark rules, local addresses.
#include <cerrno>

#include "control/mark_table.hpp"
#include "control/settings.hpp"
#include "control/writer.hpp"

namespace penstock::control {

void Writer::write_settings() const {
  const model::Settings& wanted = state_.desired.settings();
  const u64 pages = around_.available_pages ? around_.available_pages() : plenty_of_pages;
  control::write_settings(*around_.tables.settings, wanted, defence_of(wanted, pages));
}

void Writer::write_mark_rules() const {
  control::write_mark_rules(*around_.tables.mark_rules, *around_.tables.settings, state_.desired.mark_rules());
}

void Writer::write_local_addresses() const {
  write_local_pool(*around_.tables.local_pool, state_.desired.local_addresses(),
                   [this] { return held_local_addresses(); });
}

HeldPlaces Writer::held_local_addresses() const { return held_places(around_.tables.connections); }

Result<std::vector<api::Setting>> Writer::settings() { return views_of(state_.desired.settings()); }

Result<void> Writer::set_setting(const std::string& name, const std::string& value) {
  auto committed = commit([&](Draft& draft) { return draft.state.desired.set_setting(name, value); });
  if (committed) write_settings();
  return committed;
}

Result<std::vector<model::MarkRule>> Writer::mark_rules() { return state_.desired.mark_rules(); }

Result<void> Writer::add_mark_rule(const model::MarkRule& rule) {
  auto committed = commit([&](Draft& draft) { return draft.state.desired.add_mark_rule(rule); });
  if (committed) write_mark_rules();
  return committed;
}

Result<void> Writer::delete_mark_rule(const model::MarkRule& rule) {
  auto committed = commit([&](Draft& draft) {
    add_mark_rules(draft.state.kept, {rule});
    return draft.state.desired.delete_mark_rule(rule);
  });
  if (committed) write_mark_rules();
  return committed;
}

Result<std::vector<model::Address>> Writer::local_addresses() { return state_.desired.local_addresses(); }

Result<void> Writer::add_local_address(const model::Address& address) {
  auto committed = commit([&](Draft& draft) -> Result<void> {
    const auto before = draft.state.desired.local_addresses();
    if (auto added = draft.state.desired.add_local_address(address); !added) return added;
    if (has_place_for(*around_.tables.local_pool, address, before, [this] { return held_local_addresses(); }))
      return {};
    return fail(ErrorCode::exhausted,
                "adding local address " + to_string(address) +
                    ": connections still use all those that were removed; some of them must end first",
                ENOSPC);
  });
  if (committed) write_local_addresses();
  return committed;
}

Result<void> Writer::delete_local_address(const model::Address& address) {
  auto committed = commit([&](Draft& draft) { return draft.state.desired.delete_local_address(address); });
  if (committed) write_local_addresses();
  return committed;
}

}  // namespace penstock::control
