// Scheduler flags (-b): three bits that sh and mh have names for ("sh-port") and every scheduler has numbers for ("flag-2").
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <tl/expected.hpp>

namespace penstock::cli {

// Comma-separated flags to bits of model::service_flag. The error is ipvsadm's sentence about the first bad one.
[[nodiscard]] tl::expected<std::uint32_t, std::string> parse_scheduler_flags(std::string_view text,
                                                                             std::string_view scheduler);

// "sh-fallback,sh-port"; other schedulers' flags by their numbers. Other bits are left out.
[[nodiscard]] std::string scheduler_flags_text(std::uint32_t flags, std::string_view scheduler);

[[nodiscard]] bool has_scheduler_flags(std::uint32_t flags);

}  // namespace penstock::cli
