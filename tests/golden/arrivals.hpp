// What reaches a real server behind a tunnel, whatever pieces it came in.
//
// IPVS puts a fragmented datagram together, wraps it once and cuts the outer packet; Penstock wraps each fragment for itself,
// since it never holds a datagram. Either way the real server's stack reassembles outer packets, unwraps them and reassembles
// what was inside: that is what counts, beside the outer headers' fields that a director doesn't choose freely.
#pragma once

#include <string>
#include <vector>

#include "tests/golden/recording.hpp"

namespace penstock::golden {

// One line for each datagram that arrives, sorted: interface, Ethernet addresses, outer headers, and the datagram's fields. What
// is incomplete or no tunnel packet has a line too.
[[nodiscard]] std::vector<std::string> arrivals(const std::vector<Sent>& frames);

}  // namespace penstock::golden
