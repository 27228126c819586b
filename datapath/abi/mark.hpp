// Firewall marks. XDP runs before netfilter, so the director marks packets itself: by protocol, prefixes and ports.
#pragma once

#include "datapath/abi/address.hpp"

namespace penstock {

static constexpr u32 mark_rules_max = 64;
static constexpr u32 mark_port_ranges_max = 15;  // as iptables' multiport

// Host order, both ends included.
struct PortRange {
  u16 first;
  u16 last;
};

struct MarkRule {
  AddressImage source;  // compared under the mask
  AddressImage source_mask;
  AddressImage destination;
  AddressImage destination_mask;
  u32 mark;
  Family family;
  u8 protocol;  // 0: any
  u8 source_port_ranges;
  u8 destination_port_ranges;  // 0: any port
  PortRange source_ports[mark_port_ranges_max];
  PortRange destination_ports[mark_port_ranges_max];
};
static_assert(sizeof(MarkRule) == 192);

// Of the first `Settings.mark_rules` rules the last that matches gives the mark, as with consecutive rules of iptables.
struct MarkRules {
  MarkRule rules[mark_rules_max];
};

}  // namespace penstock
