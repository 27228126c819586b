// The TC program on one interface: a filter of the interface's clsact queueing discipline, direct action, which stays until it is
// taken away or the interface goes. TC has no links that could be pinned before Linux 6.6, so what a former daemon left is known by
// its place and its program's name.
#pragma once

#include <string>

#include "base/result.hpp"
#include "control/rtnetlink.hpp"
#include "control/tc_program.hpp"

namespace penstock::control {

// Ours is there, of this daemon or a former one.
[[nodiscard]] Result<bool> has_tc_filter(u32 interface, TcProgram which);

// Attaches, or puts `program` in place of ours between two packets. `qdisc_pin`: a path on a bpffs that is made if the clsact had
// to be made, so that detach_tc knows. Error: busy when another's filter has our place.
[[nodiscard]] Result<void> attach_tc(int program, const Link& link, TcProgram which, const std::string& qdisc_pin);

// Ours, and with it the clsact if we made it and nobody else's filter is there. Nothing there is no error.
[[nodiscard]] Result<void> detach_tc(u32 interface, TcProgram which, const std::string& qdisc_pin);

}  // namespace penstock::control
