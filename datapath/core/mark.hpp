// The firewall mark of a packet by the director's own rules (abi/mark.hpp).
#pragma once

#include "datapath/core/atomic.hpp"
#include "datapath/core/branchless.hpp"
#include "datapath/core/platform.hpp"

namespace penstock {

PEN_INLINE bool is_under(const AddressImage& address, const AddressImage& prefix, const AddressImage& mask) {
  return (((address.low ^ prefix.low) & mask.low) | ((address.high ^ prefix.high) & mask.high)) == 0;
}

PEN_INLINE bool is_in(const PortRange (&ranges)[mark_port_ranges_max], u32 count, u16 port) {
  u64 found = one_if_equal(count, 0);
  PEN_ROLLED
  for (u32 i = 0; i < mark_port_ranges_max; ++i) {
    const u16 after_first = static_cast<u16>(port - ranges[i].first);
    const u16 length = static_cast<u16>(ranges[i].last - ranges[i].first);
    found |= one_if_less(after_first, length + 1U) & one_if_less(i, count);
  }
  return found != 0;
}

PEN_INLINE bool matches(const MarkRule& rule, const FlowKey& key) {
  if (rule.family != key.family || (rule.protocol != 0 && rule.protocol != key.protocol)) return false;
  if (!is_under(key.client, rule.source, rule.source_mask)) return false;
  if (!is_under(key.vip, rule.destination, rule.destination_mask)) return false;
  return is_in(rule.source_ports, rule.source_port_ranges, host(key.client_port)) &&
         is_in(rule.destination_ports, rule.destination_port_ranges, host(key.vip_port));
}

// A step: whether rule work.rule matches.
template <Platform P>
PEN_INLINE u32 match_rule(P& p, Work& work) {
  const MarkRule* rule = p.mark_rule(work.rule);
  return rule && matches(*rule, work.packet.key);
}

// A step. The last rule that matches counts; 0: no mark.
template <Platform P>
PEN_INLINE u32 find_mark(P& p, Work& work) {
  const Settings* settings = p.settings();
  if (!settings) return 0;
  const u32 count = load_acquire(&settings->mark_rules);
  PEN_ROLLED
  for (u32 i = 1; i <= mark_rules_max && i <= count; ++i) {
    work.rule = count - i;
    if (p.run_match_rule(work) == 0) continue;
    const MarkRule* rule = p.mark_rule(count - i);
    return rule ? rule->mark : 0;
  }
  return 0;
}

}  // namespace penstock
