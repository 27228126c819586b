// The director's addresses that fullnat connects from.
#pragma once

#include "datapath/abi/address.hpp"

namespace penstock {

static constexpr u32 local_addresses_max = 256;

// An address keeps its index for as long as a connection may hold it; `order` lists those in use, by family.
struct LocalPool {
  AddressImage addresses[local_addresses_max];
  u8 order[2][local_addresses_max];  // IPv4, IPv6
  u32 count[2];
};

// Ports that are handed out: first, and how many.
static constexpr u32 local_port_first = 1024;
static constexpr u32 local_ports = 65536 - local_port_first;

}  // namespace penstock
