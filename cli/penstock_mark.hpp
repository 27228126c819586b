// `penstock mark`: which packets carry a firewall mark. A rule is typed the same way to add it, to delete it and in the list.
#pragma once

#include <string>
#include <tl/expected.hpp>

#include "cli/penstock_console.hpp"
#include "model/mark_rule.hpp"

namespace penstock::cli {

// `words`: those after `penstock mark`.
[[nodiscard]] int run_mark(const Words& words, const Console& console);

// "5 --protocol tcp --ports 80,443", as words; the error is a sentence. Whether the parts fit together is the director's to say.
[[nodiscard]] tl::expected<model::MarkRule, std::string> parse_mark_rule(const Words& words);

}  // namespace penstock::cli
