// Cuts an IP packet that is larger than the way out takes into fragments (RFC 791 §3.2, RFC 8200 §4.5), as the kernel does for
// IPVS. Pure: a frame in, frames out. Fragments can be cut again; what a datagram's receiver puts together stays the same.
#pragma once

#include <span>
#include <vector>

#include "datapath/abi/types.hpp"

namespace penstock::control {

// `frame`: Ethernet, with or without VLAN tags. `mtu`: of the IP packet. `id`: identifies the datagram if it is IPv6 and no
// fragment yet. One frame, the same, if it fits; none if it may not be fragmented (IPv4 with DF) or can't be: not IP, headers
// that contradict the frame, an MTU without room for eight bytes.
[[nodiscard]] std::vector<std::vector<u8>> fragment(std::span<const u8> frame, u32 mtu, u32 id);

}  // namespace penstock::control
