// What the packet path knows of the interface that a frame came in by: a row for each interface index.
#pragma once

#include "datapath/abi/types.hpp"

namespace penstock {

// Interfaces with a higher index have no row; nothing is checked for them.
static constexpr u32 interfaces_max = 4096;

enum class XdpMode : u8 { native = 0, generic = 1 };

struct alignas(8) Interface {
  u8 address[6];  // its MAC address: frames for others, which a promiscuous interface brings, are not ours
  u8 known;       // 0: the row is empty
  XdpMode mode;   // generic XDP sees packets that the kernel has put together: their length says nothing of the MTU
};
static_assert(sizeof(Interface) == 8);

}  // namespace penstock
