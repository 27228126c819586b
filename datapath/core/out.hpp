// What every forwarding method does before a packet leaves: TTL, MTU, MAC header (IPVS: ip_vs_xmit.c, __ip_vs_get_out_rt).
#pragma once

#include "datapath/core/punt.hpp"
#include "datapath/core/refuse.hpp"

namespace penstock {

template <typename Header>
PEN_INLINE EthernetHeader* ethernet_before(Header* ip) {
  return reinterpret_cast<EthernetHeader*>(reinterpret_cast<u8*>(ip) - network_offset);
}

// The frame's beginning, or null: the frame ends before its IP header does.
template <Platform P>
PEN_INLINE EthernetHeader* decrement_ttl(P& p, const Packet& packet) {
  if (packet.key.family == Family::ipv6) {
    auto* ip = header_at<Ipv6Header>(p, network_offset);
    if (!ip) return nullptr;
    ip->hop_limit -= 1;
    return ethernet_before(ip);
  }
  auto* ip = header_at<Ipv4Header>(p, network_offset);
  if (!ip) return nullptr;
  // TTL is the low byte of its 16-bit word, which loses one; the checksum gains one (RFC 1141).
  const u32 sum = static_cast<u32>(ip->checksum) + 1;
  ip->checksum = static_cast<u16>(sum + ((sum + 1) >> 16));
  ip->ttl -= 1;
  return ethernet_before(ip);
}

// Whether a packet is as long as it was on the wire. Where generic XDP sees it, it may be many, put together.
template <Platform P>
PEN_INLINE bool tells_length(P& p) {
  const Interface* ingress = p.interface(p.ingress_index());
  return !ingress || ingress->hook != Hook::generic;
}

// Many packets in one frame are judged by what each will be (IPVS: the kernel's skb_gso_validate_network_len).
template <Platform P>
PEN_INLINE u32 wire_length(P& p, const Packet& packet) {
  const u32 payload = p.segment_payload();
  if (payload == 0) return packet.ip_length;
  u32 header = sizeof(UdpHeader);
  if (is_tcp(packet.key)) {
    const auto* tcp = transport_header<TcpHeader>(p, packet);
    if (tcp) header = (tcp->data_offset >> 4) * 4U;
  }
  return packet.transport - network_offset + header + payload;
}

// Whether a packet of that length on the wire needs fragmenting before it may leave; the daemon's own platform does that.
template <Platform P>
PEN_INLINE bool exceeds(P& p, u32 wire_length, u32 mtu) {
  return wire_length > mtu && !p.fragments() && tells_length(p);
}

template <Platform P>
PEN_INLINE bool is_longer_than(P& p, const Packet& packet, u32 mtu) {
  return packet.ip_length > mtu && exceeds(p, wire_length(p, packet), mtu);
}

// `ethernet`: the frame's beginning, or null.
template <Platform P>
PEN_INLINE Next send_by(P& p, Work& work, const NextHop* hop, EthernetHeader* ethernet) {
  static_assert(__builtin_offsetof(NextHop, destination) == 0 && __builtin_offsetof(NextHop, source) == 6);
  if (!ethernet) return drop(p, Reason::bug);
  __builtin_memcpy(ethernet, hop, 12);  // of the whole rows, so that the compiler knows how they are aligned
  work.tag = tag_of(hop->vlan);
  return p.leave_by(hop->interface);
}

template <Platform P>
PEN_INLINE Next send_by(P& p, Work& work, const NextHop* hop) {
  return send_by(p, work, hop, header_at<EthernetHeader>(p, 0));
}

// An ICMP error, or a fragment after the first, is answered with none (RFC 1122 §3.2.2).
PEN_INLINE bool may_be_refused(const Packet& packet) {
  return packet.protocol != protocol_icmp && packet.protocol != protocol_icmpv6 && !packet.is_later_fragment;
}

template <Platform P>
PEN_INLINE Next refuse_ttl(P& p, Work& work, u32 server) {
  if (!may_be_refused(work.packet)) return drop(p, Reason::icmp_ttl_exceeded);
  return refuse_with(p, work, IcmpError::time_exceeded, Reason::ttl_exceeded, server);
}

// Larger than `mtu`: an error, or the daemon fragments it.
template <Platform P>
PEN_INLINE Next refuse_length(P& p, Work& work, u32 server, u32 mtu) {
  if (!work.packet.dont_fragment) return hand_over(work, Punt::fragmentation);
  if (!may_be_refused(work.packet)) return drop(p, Reason::too_big);
  return refuse_with(p, work, IcmpError::too_big, Reason::too_big, server, mtu);
}

}  // namespace penstock
