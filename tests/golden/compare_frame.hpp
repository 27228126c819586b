// When two frames count as the same: all fields but those that a director may choose, and, where no field is free, all bytes.
//
// Free are (README, "Comparison"): the IPv4 id and IPv6 flow label of packets that the director creates or wraps, the IPv6
// fragment id, the source port of GUE, and of sync messages source port, id and timeouts. Header checksums count as valid or not.
#pragma once

#include <string_view>

#include "tests/golden/difference.hpp"
#include "tests/golden/frame.hpp"
#include "tests/golden/recording.hpp"

namespace penstock::golden {

// Made by the director itself (ICMP error, reset, echo reply), not a copy of the frame that came in.
[[nodiscard]] bool is_created(const Fields& in, const Fields& out);

// The fields with "*" for those that are free. `created` is judged on the recorded frame and applied to both.
enum class Origin { forwarded, created };
[[nodiscard]] Fields comparable(const Fields& frame, Origin origin);

// `where` begins the places of the differences: "eth1[0]".
[[nodiscard]] Differences compare_frames(std::string_view where, View in, View want, View got);

// The frames of one step: their order counts within an interface, not between interfaces.
[[nodiscard]] Differences compare_sent(View in, const std::vector<Sent>& want, const std::vector<Sent>& got);

}  // namespace penstock::golden
