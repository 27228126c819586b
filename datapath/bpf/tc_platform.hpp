// The packet path's platform as a TC program: the kernel's socket buffer (skb) and the maps. What differs from a driver's frame:
// only the beginning lies in one piece of memory, it may be many packets that are cut later (GSO), its transport checksum may
// still be owed (CHECKSUM_PARTIAL), its VLAN tag stands beside it, and the kernel keeps its own notes on where the headers are:
// room is made by the helper that keeps these notes true.
#pragma once

#include <linux/pkt_cls.h>

#include "datapath/bpf/examine.hpp"
#include "datapath/bpf/steps.hpp"
#include "datapath/core/checksum.hpp"
#include "datapath/core/vlan.hpp"

extern "C" {
#define PEN_DECLARE_TC_STEP(name) PEN_DECLARE_STEP(__sk_buff, name)
PEN_STEPS(PEN_DECLARE_TC_STEP)
#undef PEN_DECLARE_TC_STEP
}

namespace penstock {

class TcPlatform : public BpfFrame<__sk_buff> {
 public:
  using BpfFrame::BpfFrame;

  // Headers, and what an ICMP error quotes of them. What is to be summed is asked for when it is (core: sum).
  static constexpr u32 head_bytes = 256;
  // Of many packets in one no more than headers: payload that is moved makes cutting slower.
  static constexpr u32 head_bytes_of_many = 74;  // Ethernet, IPv6, TCP

  // Before anything else.
  PEN_INLINE void begin() { reach(segment_payload() == 0 ? head_bytes : head_bytes_of_many); }

  PEN_INLINE u32 length() const { return context_->len; }
  PEN_INLINE bool reach(u32 count) {
    const u32 whole = context_->len;
    const u32 wanted = count < whole ? count : whole;
    return data() + (wanted & 0xffff) <= data_end() || helpers::skb_pull_data(context_, wanted) == 0;
  }

  PEN_INLINE bool open_head(u32 count) { return helpers::skb_change_head(context_, count) == 0; }
  PEN_INLINE bool grow_head(u32 count) { return helpers::skb_adjust_room(context_, static_cast<int>(count), 0) == 0; }
  PEN_INLINE bool shrink_head(u32 count) {
    return helpers::skb_adjust_room(context_, -static_cast<int>(count), 0) == 0;
  }
  // Segments keep their size: it was judged with the outer headers. A packet that came out of a tunnel itself has its notes in
  // use; it goes without, unless it is many.
  PEN_INLINE bool wrap(const Wrapping& wrapping, u32 count) {
    u64 flags = BPF_F_ADJ_ROOM_FIXED_GSO;
    flags |= wrapping.family == Family::ipv4 ? BPF_F_ADJ_ROOM_ENCAP_L3_IPV4 : BPF_F_ADJ_ROOM_ENCAP_L3_IPV6;
    if (wrapping.protocol == protocol_udp) flags |= BPF_F_ADJ_ROOM_ENCAP_L4_UDP;
    if (wrapping.protocol == protocol_gre) flags |= BPF_F_ADJ_ROOM_ENCAP_L4_GRE;
    if (helpers::skb_adjust_room(context_, static_cast<int>(count), flags) == 0) return true;
    return segment_payload() == 0 && grow_head(count);
  }
  // The helper knows bare headers; what else there was or is to be, is room like any other.
  PEN_INLINE bool change_family(Family family, u32 before, u32 after) {
    static constexpr u32 growth = sizeof(Ipv6Header) - sizeof(Ipv4Header);
    const bool v6 = family == Family::ipv6;
    if (helpers::skb_change_proto(context_, v6 ? ethertype_ipv6 : ethertype_ipv4) != 0) return false;
    const u32 present = v6 ? before + growth : before;
    const u32 wanted = v6 ? after : after + growth;
    if (present == wanted) return true;
    return present < wanted ? grow_head(wanted - present) : shrink_head(present - wanted);
  }
  PEN_INLINE bool grow_tail(u32 count) { return helpers::skb_change_tail(context_, context_->len + count) == 0; }
  PEN_INLINE bool cut_to(u32 length) {
    return length <= context_->len && helpers::skb_change_tail(context_, length) == 0 && reach(length);
  }
  PEN_INLINE bool copy_frame(u32 punted_row, u32 length) {
    PuntedFrame* frame = punted(punted_row);
    u32 last = length - 1;
    PEN_FORGET(last);  // what follows is all that the verifier knows of it
    if (!frame || last >= punted_bytes_max) return false;
    return helpers::skb_load_bytes(context_, 0, frame->bytes, last + 1) == 0;
  }

  PEN_INLINE bool is_tagged(be16 type) const { return context_->vlan_present != 0 || is_tag(type); }
  PEN_INLINE VlanTag take_tag() {
    const VlanTag tag = context_->vlan_present != 0 ? tag_beside() : tag_in_frame();
    if (helpers::skb_vlan_pop(context_) != 0) return {};
    if (context_->vlan_present == 0) return tag;
    put_tag(tag);  // there is another one behind it
    return {};
  }
  PEN_INLINE bool put_tag(const VlanTag& tag) {
    return helpers::skb_vlan_push(context_, static_cast<u16>(tag.type), host(tag.control)) == 0;
  }

  // SCTP's pieces have lengths of their own, which it has chosen for the way.
  static constexpr u32 gso_by_fragments = 0xffff;
  PEN_INLINE u32 segment_payload() const {
    const u32 size = context_->gso_size;
    return size == gso_by_fragments ? 1 : size;
  }

  // The kernel tells no program whether a checksum is owed. It shows when one is changed for the sake of what it covers: one that
  // is owed stays as it is (inet_proto_csum_replace_by_diff).
  PEN_INLINE bool owes_checksum(u32 offset) {
    const u16* field = checksum_at(offset);
    if (!field) return false;
    const u16 before = *field;
    if (helpers::l4_checksum_change(context_, offset, 1, 0) != 0) return false;
    u16* after = checksum_at(offset);
    if (!after || *after == before) return after != nullptr;
    *after = before;
    return false;
  }

  PEN_INLINE bool change_checksum(u16*, u32 offset, const ChecksumChange& change) {
    const u64 flags = change.zero_is_none ? BPF_F_MARK_MANGLED_0 : 0;
    return helpers::l4_checksum_change(context_, offset, folded(change.pseudo_header), flags | BPF_F_PSEUDO_HDR) == 0 &&
           helpers::l4_checksum_change(context_, offset, folded(change.rest), flags) == 0;
  }

  PEN_INLINE u32 ingress_index() const { return context_->ifindex; }

  PEN_INLINE Next leave_by(u32 interface) {
    if (interface == context_->ifindex) return Next::transmit;
    return redirect_to(interface);
  }
  // TC has no way back but this.
  PEN_INLINE Next leave_back() { return redirect_to(context_->ifindex); }

  PEN_INLINE void examine_all(Work& work);

  PEN_STEPS(PEN_CALL_STEP)

 private:
  PEN_INLINE static Next redirect_to(u32 interface) {
    return helpers::redirect(interface) == TC_ACT_REDIRECT ? Next::redirect : Next::drop;
  }

  PEN_INLINE VlanTag tag_beside() const {
    return {.type = static_cast<be16>(context_->vlan_proto), .control = big(static_cast<u16>(context_->vlan_tci))};
  }
  PEN_INLINE VlanTag tag_in_frame() const {
    const auto* tagged = header_at<TaggedHeader>(*this, 0);
    return tagged ? tagged->tag : VlanTag{};
  }

  // To 32 bits, in ones' complement.
  PEN_INLINE static u32 folded(u64 sum) {
    sum = (sum & 0xffffffffULL) + (sum >> 32);
    return static_cast<u32>((sum & 0xffffffffULL) + (sum >> 32));
  }

  PEN_INLINE u16* checksum_at(u32 offset) const { return header_at<u16>(*this, offset & 0xffffU); }
};

}  // namespace penstock

PEN_EXAMINE_BY_LOOP(TcPlatform)
