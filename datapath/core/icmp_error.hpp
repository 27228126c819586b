// ICMP errors that the director sends itself: what the kernel's IPVS would have its stack send (RFC 792, 1812, 4443). The frame
// in hand becomes the error: its IP packet moves behind new headers, cut to what may be quoted, and goes back where it came
// from. Source is the virtual address.
#pragma once

#include "datapath/core/checksum.hpp"
#include "datapath/core/count.hpp"
#include "datapath/core/wire.hpp"

namespace penstock {

enum class IcmpError : u8 { port_unreachable, time_exceeded, too_big };

struct IcmpKind {
  u8 type;
  u8 code;
};

PEN_INLINE constexpr IcmpKind icmpv4_kind(IcmpError error) {
  switch (error) {
    case IcmpError::port_unreachable:
      return {3, 3};
    case IcmpError::time_exceeded:
      return {11, 0};
    case IcmpError::too_big:
      return {3, 4};
  }
  return {};
}

PEN_INLINE constexpr IcmpKind icmpv6_kind(IcmpError error) {
  switch (error) {
    case IcmpError::port_unreachable:
      return {1, 4};
    case IcmpError::time_exceeded:
      return {3, 0};
    case IcmpError::too_big:
      return {2, 0};
  }
  return {};
}

static constexpr u32 icmpv4_error_max = 576;   // bytes of the whole error (RFC 1812 §4.3.2.3)
static constexpr u32 icmpv6_error_max = 1280;  // RFC 4443 §2.4 (c)
static constexpr u8 icmp_ttl = 64;
static constexpr u8 tos_of_icmp_error = 0xc0;  // Internetwork control, plus the packet's own service bits (0x1e)

PEN_INLINE u32 smaller(u32 a, u32 b) { return a < b ? a : b; }

struct IcmpErrorPlan {
  IcmpKind kind;
  u32 quoted;  // bytes of the packet in hand that the error carries
  u32 mtu;     // of the next hop, for too_big; else 0
};

// Makes room for `headers` bytes before the packet, cuts it, and turns the Ethernet header round.
template <Platform P>
PEN_INLINE bool begin_icmp_error(P& p, u32 headers, u32 quoted) {
  const auto* old = header_at<EthernetHeader>(p, 0);
  if (!old) return false;
  const EthernetHeader received = *old;
  if (!p.grow_head(headers) || !p.cut_to(network_offset + headers + quoted)) return false;
  auto* ethernet = header_at<EthernetHeader>(p, 0);
  if (!ethernet) return false;
  __builtin_memcpy(ethernet->destination, received.source, 6);
  __builtin_memcpy(ethernet->source, received.destination, 6);
  ethernet->type = received.type;
  return true;
}

// `sum`: of what the checksum covers beside the ICMP header itself.
template <Platform P>
PEN_INLINE bool write_icmp_header(P& p, u32 offset, const IcmpErrorPlan& plan, u64 sum) {
  auto* icmp = header_at<IcmpErrorHeader>(p, offset);
  if (!icmp) return false;
  icmp->type = plan.kind.type;
  icmp->code = plan.kind.code;
  icmp->rest = big(plan.mtu);
  const u64 own =
      static_cast<u64>(plan.kind.type) + (static_cast<u64>(plan.kind.code) << 8) + static_cast<u32>(big(plan.mtu));
  icmp->checksum = static_cast<u16>(~fold(own + sum));
  return true;
}

template <Platform P>
PEN_INLINE bool write_ipv4_header(P& p, const Packet& packet, u32 length) {
  auto* ip = header_at<Ipv4Header>(p, network_offset);
  if (!ip) return false;
  ip->version_and_words = 0x45;
  ip->tos = static_cast<u8>((packet.tos & 0x1e) | tos_of_icmp_error);
  ip->length = big(static_cast<u16>(length));
  ip->id = be16{};
  ip->fragment = be16{};
  ip->ttl = icmp_ttl;
  ip->protocol = protocol_icmp;
  ip->checksum = 0;
  ip->source = static_cast<u32>(packet.key.vip.low);
  ip->destination = static_cast<u32>(packet.key.client.low);
  const u64 sum = 0x45 + (static_cast<u64>(ip->tos) << 8) + static_cast<u16>(ip->length) + icmp_ttl +
                  (static_cast<u64>(protocol_icmp) << 8) + ip->source + ip->destination;
  ip->checksum = static_cast<u16>(~fold(sum));
  return true;
}

// The length of the error's IP packet; 0: it could not be built.
template <Platform P>
PEN_INLINE u32 build_icmpv4_error(P& p, const Packet& packet, IcmpError error, u32 mtu) {
  static constexpr u32 headers = sizeof(Ipv4Header) + sizeof(IcmpErrorHeader);
  const IcmpErrorPlan plan{icmpv4_kind(error), smaller(packet.ip_length, icmpv4_error_max - headers), mtu};
  if (!begin_icmp_error(p, headers, plan.quoted)) return 0;
  const u64 sum = sum_of_tail(p, network_offset + headers, plan.quoted);
  if (!write_icmp_header(p, network_offset + sizeof(Ipv4Header), plan, sum)) return 0;
  if (!write_ipv4_header(p, packet, headers + plan.quoted)) return 0;
  return headers + plan.quoted;
}

PEN_INLINE void store_address(u32 (&to)[4], const AddressImage& from) {
  to[0] = static_cast<u32>(from.low);
  to[1] = static_cast<u32>(from.low >> 32);
  to[2] = static_cast<u32>(from.high);
  to[3] = static_cast<u32>(from.high >> 32);
}

template <Platform P>
PEN_INLINE bool write_ipv6_header(P& p, const Packet& packet, u32 payload_length) {
  auto* ip = header_at<Ipv6Header>(p, network_offset);
  if (!ip) return false;
  ip->version_class_label[0] = 0x60;
  ip->version_class_label[1] = 0;
  ip->version_class_label[2] = 0;
  ip->version_class_label[3] = 0;
  ip->payload_length = big(static_cast<u16>(payload_length));
  ip->next_header = protocol_icmpv6;
  ip->hop_limit = icmp_ttl;
  store_address(ip->source, packet.key.vip);
  store_address(ip->destination, packet.key.client);
  return true;
}

PEN_INLINE u64 sum_of_address(const AddressImage& address) {
  return (address.low & 0xffffffff) + (address.low >> 32) + (address.high & 0xffffffff) + (address.high >> 32);
}

template <Platform P>
PEN_INLINE u32 build_icmpv6_error(P& p, const Packet& packet, IcmpError error, u32 mtu) {
  static constexpr u32 headers = sizeof(Ipv6Header) + sizeof(IcmpErrorHeader);
  const IcmpErrorPlan plan{icmpv6_kind(error), smaller(packet.ip_length, icmpv6_error_max - headers), mtu};
  if (!begin_icmp_error(p, headers, plan.quoted)) return 0;
  const u32 payload_length = static_cast<u32>(sizeof(IcmpErrorHeader)) + plan.quoted;
  // The pseudo header: addresses, length, next header (RFC 8200 §8.1).
  const u64 sum = sum_of_tail(p, network_offset + headers, plan.quoted) + sum_of_address(packet.key.vip) +
                  sum_of_address(packet.key.client) + static_cast<u16>(big(static_cast<u16>(payload_length))) +
                  static_cast<u16>(big(u16{protocol_icmpv6}));
  if (!write_icmp_header(p, network_offset + sizeof(Ipv6Header), plan, sum)) return 0;
  if (!write_ipv6_header(p, packet, payload_length)) return 0;
  return headers + plan.quoted;
}

// Makes the frame in hand an ICMP error about the packet in it. The length of the error's IP packet; 0: there was no room.
template <Platform P>
PEN_INLINE u32 build_icmp_error(P& p, const Packet& packet, IcmpError error, u32 mtu) {
  return packet.key.family == Family::ipv4 ? build_icmpv4_error(p, packet, error, mtu)
                                           : build_icmpv6_error(p, packet, error, mtu);
}

}  // namespace penstock
