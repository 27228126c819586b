// An IP address as the data plane's records hold it: the bytes of the packet. IPv4 fills the first four, the rest is zero;
// the family stands beside the address in every record, so ::1.2.3.4 and 1.2.3.4 never meet.
#pragma once

#include "datapath/abi/types.hpp"

namespace penstock {

enum class Family : u8 { ipv4 = 4, ipv6 = 6 };

struct AddressImage {
  u64 low;   // bytes 0-7 of the address, as in memory
  u64 high;  // bytes 8-15
};

}  // namespace penstock
