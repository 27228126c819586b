// The director's settings: IPVS's net.ipv4.vs.* by name, with the defaults and bounds of Linux 6.1 (ip_vs_ctl.c), and our own.
// A value is text as in /proc: one number, or for sync_threshold two with a tab between them. Where the kernel would take a
// negative number and make nothing of it, we refuse.
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>

#include "base/result.hpp"

namespace penstock::model {

enum class SettingForm : std::uint8_t {
  number,
  power_of_two,
  threshold_and_period,  // threshold below period, or period 0; a period left out stays
};

struct SettingRule {
  std::string_view name;
  std::string_view initial;
  std::uint32_t min;
  std::uint32_t max;
  SettingForm form;
  std::string_view meaning;  // for a listing: what it does, or that it does nothing here
};

inline constexpr std::string_view setting_prefix = "net.ipv4.vs.";

// In the order of their names.
[[nodiscard]] std::span<const SettingRule> setting_rules();

// Those that differ from their defaults.
using Settings = std::map<std::string, std::string, std::less<>>;

// "sloppy_tcp" and "net.ipv4.vs.sloppy_tcp" are the same setting. Error: there is none of that name (ENOENT).
[[nodiscard]] Result<const SettingRule*> find_setting(std::string_view name);

[[nodiscard]] std::string_view value_of(const Settings& settings, const SettingRule& rule);
// Of a setting that is one number. `name` is one of the table: anything else is a mistake of the caller.
[[nodiscard]] std::uint32_t number_of(const Settings& settings, std::string_view name);

// ENOENT: no such setting; EINVAL: not a value that it can have, and `settings` is as it was.
[[nodiscard]] Result<void> change(Settings& settings, std::string_view name, std::string_view value);

}  // namespace penstock::model
