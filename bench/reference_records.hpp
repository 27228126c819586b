// What the reference director keeps of a connection, as a BPF hash map's value. C-plain: the program and the host read it.
#pragma once

#include "datapath/abi/types.hpp"

namespace penstock::bench {

struct ReferenceConnection {
  u32 expires;  // ticks
  u32 server;   // slot
  u16 generation;
  u8 state;
  u8 method;
  u32 zero;
};

}  // namespace penstock::bench
