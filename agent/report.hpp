// What `status` prints. Pure.
#pragma once

#include <span>
#include <string>

#include "agent/changes.hpp"

namespace penstock::agent {

[[nodiscard]] bool is_all_right(std::span<const Standing> standing);

// A line for each setting: "ok       net.ipv4.conf.all.arp_ignore = 1", "MISSING  address 192.0.2.40 on lo: absent, to be present".
[[nodiscard]] std::string status_text(const std::string& purpose, std::span<const Standing> standing);
// {"purpose": …, "in_place": true, "settings": [{"kind", "name", "wanted", "current", "in_place"}…]} on one line.
[[nodiscard]] std::string status_json(const std::string& purpose, std::span<const Standing> standing);

}  // namespace penstock::agent
