// What penstockd says of itself.
#pragma once

#include "api/director.hpp"
#include "base/result.hpp"
#include "doctor/facts.hpp"

namespace penstock::doctor {

// Without its pins; of each reason what is counted now stands in `before`.
[[nodiscard]] Result<Director> ask_director(api::Director& director);
// Counts again, into `after`.
[[nodiscard]] Result<void> count_again(api::Director& director, Director& facts);

// The folder of its pins (README of control: BPFFS/penstock/INODE), and whether anything is in it. `runtime` is its folder in /run.
void look_for_pins(const std::string& runtime, Director& facts);

}  // namespace penstock::doctor
