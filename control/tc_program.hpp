// The TC programs, one for each direction of an interface.
#pragma once

namespace penstock::control {

// in: the packet path. out: what watches packets of the director's own kernel on their way out (core/own_reply.hpp).
enum class TcProgram { in, out };

// As the kernel knows it.
[[nodiscard]] constexpr const char* name_of(TcProgram which) {
  return which == TcProgram::in ? "penstock_tc" : "penstock_tc_out";
}

}  // namespace penstock::control
