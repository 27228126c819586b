// When two outputs of a command count as the same: letter by letter, but for what depends on time or on the kernel's hash.
#pragma once

#include <string>
#include <string_view>

#include "tests/golden/difference.hpp"

namespace penstock::golden {

inline constexpr int expiry_tolerance_s = 2;
inline constexpr double rate_tolerance =
    0.5;  // of the larger one, and 2 more: an average whose sampling phase is unknown

// `command` decides what is free: --rate, --nosort, /proc/net/ip_vs. `where` is "stdout" or "stderr".
[[nodiscard]] Differences compare_text(std::string_view where, std::string_view command, const std::string& want,
                                       const std::string& got);

// Listings of connections: any order, expiry within the tolerance.
[[nodiscard]] Differences compare_connections(const std::string& want, const std::string& got);

// A file of /proc/net by the rules of its kind.
[[nodiscard]] Differences compare_file(std::string_view path, const std::string& want, const std::string& got);

// /proc/net/ip_vs_stats: totals equal, rates within the tolerance; all hexadecimal.
[[nodiscard]] Differences compare_proc_stats(const std::string& want, const std::string& got);

}  // namespace penstock::golden
