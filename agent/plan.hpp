// What a host needs as a real server: from the command line and what is known of the host to settings in their order. Pure.
#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "agent/changes.hpp"
#include "agent/options.hpp"

namespace penstock::agent {

struct Interface {
  std::string name;
  std::string kind;  // "veth", "bridge", …; empty for hardware
  bool is_up = false;
  bool is_ethernet = false;  // and not lo
  bool is_enslaved = false;  // a port of a bridge or bond: what it receives arrives there
};

struct Facts {
  std::vector<Interface> interfaces;
  std::vector<model::Address> own_addresses;  // of all interfaces but lo, without link-local ones
  std::set<std::string> without_xdp;          // interfaces that have refused native XDP
};

// What the programs are told.
struct ProgramConfig {
  std::vector<model::Address> vips;
  std::vector<model::Address> own_addresses;  // to which a tunnel's packet may be sent
  std::uint32_t overhead = 0;                 // bytes of the largest tunnel's headers
  std::uint32_t mss = 0;                      // 0: by MTU and overhead
  std::vector<model::Prefix> directors;
  std::uint8_t option_kind = 0;
  std::string cgroup;  // empty: the root
};

[[nodiscard]] ProgramConfig program_config(const Options& options, const Facts& facts);

// Error: an interface that is named is not there or of no use, a VIP that another interface has.
[[nodiscard]] Result<Plan> make_plan(const Options& options, const Facts& facts);

}  // namespace penstock::agent
