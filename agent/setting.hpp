// One thing of the host that a real server needs in a certain way, and its value as text: the unit in which `start` changes the
// host, `stop` puts it back and `status` looks at it.
#pragma once

#include <compare>
#include <string>
#include <string_view>

#include "base/result.hpp"

namespace penstock::agent {

enum class Kind {
  sysctl,   // name: net.ipv4.conf.all.arp_ignore          value: as /proc/sys shows it
  address,  // name: 192.0.2.40, on lo with a full prefix  present, absent
  route,    // name: 192.0.2.40, through lo                present, absent
  clsact,   // name: eth0, the queueing discipline         present, absent
  xdp,      // name: eth0                                  none, or a program's name and number: "pen_decap_xdp 57"
  tc_in,    // name: eth0                                  the same
  tc_out,   // name: eth0                                  the same
  cgroup,   // name: sock_ops, getpeername4, getpeername6  the same
};

inline constexpr const char* present = "present";
inline constexpr const char* absent = "absent";
inline constexpr const char* none = "none";

struct Setting {
  Kind kind = Kind::sysctl;
  std::string name;

  friend auto operator<=>(const Setting&, const Setting&) = default;
};

// "address 192.0.2.40 on lo", for people.
[[nodiscard]] std::string to_string(const Setting& setting);

// "sysctl", …: the word in the state file.
[[nodiscard]] const char* word_of(Kind kind);
[[nodiscard]] Result<Kind> kind_of(std::string_view word);

[[nodiscard]] bool is_program(Kind kind);

// Whether the setting is as `wanted`. Of programs the name counts when `wanted` has no number.
[[nodiscard]] bool stands(const Setting& setting, std::string_view current, std::string_view wanted);

// Whether what stands there is `start`'s work: `wanted` itself or, of programs, one of that name, as a start that was interrupted
// may have left another number.
[[nodiscard]] bool is_ours(const Setting& setting, std::string_view current, std::string_view wanted);

}  // namespace penstock::agent
