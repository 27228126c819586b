#include "control/stored_state.hpp"

namespace penstock::control {

Result<void> restore_all_but_services(model::DesiredState& desired, const StoredState& known) {
  for (const auto& [name, value] : known.settings)
    if (auto set = desired.set_setting(name, value); !set) return set;
  for (const model::MarkRule& rule : known.mark_rules)
    if (auto added = desired.add_mark_rule(rule); !added) return added;
  for (const model::Address& address : known.local_addresses)
    if (auto added = desired.add_local_address(address); !added) return added;
  return {};
}

}  // namespace penstock::control
