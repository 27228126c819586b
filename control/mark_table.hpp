// Mark rules as the packet path reads them (datapath/abi/mark.hpp), changed under its eyes: a rule that stays is matched at every
// moment, one that goes becomes inert, and one that comes is whole before it counts.
#pragma once

#include <vector>

#include "datapath/abi/config.hpp"
#include "datapath/abi/mark.hpp"
#include "model/mark_rule.hpp"

namespace penstock::control {

[[nodiscard]] MarkRule image_of(const model::MarkRule& rule);

// Makes the table hold these rules in this order, and `live.mark_rules` count its rows. Removed rules leave inert rows behind until
// there is no row left for a new one; while the rules are then moved together, a packet may miss one of them.
void write_mark_rules(MarkRules& table, Settings& live, const std::vector<model::MarkRule>& rules);

// Sets the bits of all destinations that the rules may mean.
void add_mark_rules(VipFilter& filter, const std::vector<model::MarkRule>& rules);

}  // namespace penstock::control
