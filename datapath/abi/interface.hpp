// What the packet path knows of the interface that a frame came in by: a row for each interface index.
#pragma once

#include "datapath/abi/address.hpp"

namespace penstock {

// Interfaces with a higher index have no row; nothing is checked for them. A power of two.
static constexpr u32 interfaces_max = 4096;

// generic: the kernel's stack has put packets together, so a frame's length says nothing of the MTU. tc: the same, and the
// frame is a socket buffer's.
enum class Hook : u8 { native = 0, generic = 1, tc = 2 };

struct alignas(64) Interface {
  u8 address[6];  // its MAC address: frames for others, which a promiscuous interface brings, are not ours
  u8 known;       // 0: the row is empty
  Hook hook;
  u32 mtu;            // largest IP packet it takes; 0: not known
  u32 ipv4;           // the director's address there, as on the wire: source of errors to real servers; 0: none
  AddressImage ipv6;  // the same; all 0: none
  u64 reserved[4];
};
static_assert(sizeof(Interface) == 64);

struct Interfaces {
  Interface rows[interfaces_max];  // by the kernel's index
};

}  // namespace penstock
