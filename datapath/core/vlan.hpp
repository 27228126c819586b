// VLAN tags (IEEE 802.1Q). The packet path works on frames without one: a tag is taken off at the beginning, and the tag of the
// way out put on at the end. Here for platforms on which a tag stands in the frame.
#pragma once

#include "datapath/core/header.hpp"
#include "datapath/core/platform.hpp"

namespace penstock {

struct TaggedHeader {
  u8 addresses[12];
  VlanTag tag;
  be16 type;
};

PEN_INLINE bool is_tag(be16 type) { return type == ethertype_vlan || type == ethertype_vlan_service; }

template <typename P>
PEN_INLINE VlanTag take_tag_of_frame(P& p) {
  const auto* tagged = header_at<TaggedHeader>(p, 0);
  if (!tagged || !is_tag(tagged->tag.type)) return {};
  const TaggedHeader before = *tagged;
  if (!p.shrink_head(sizeof(VlanTag))) return {};
  auto* ethernet = header_at<EthernetHeader>(p, 0);
  if (!ethernet) return {};
  __builtin_memcpy(ethernet, before.addresses, sizeof before.addresses);
  ethernet->type = before.type;
  return before.tag;
}

template <typename P>
PEN_INLINE bool put_tag_into_frame(P& p, const VlanTag& tag) {
  const auto* plain = header_at<EthernetHeader>(p, 0);
  if (!plain) return false;
  const EthernetHeader before = *plain;
  if (!p.open_head(sizeof(VlanTag))) return false;
  auto* tagged = header_at<TaggedHeader>(p, 0);
  if (!tagged) return false;
  __builtin_memcpy(tagged->addresses, &before, sizeof tagged->addresses);
  tagged->tag = tag;
  tagged->type = before.type;
  return true;
}

}  // namespace penstock
