// ICMP errors that the director sends itself: what the kernel's IPVS would have its stack send (RFC 792, 1812, 4443). The frame
// in hand becomes the error: its IP packet moves behind new headers, cut to what may be quoted, and goes back where it came
// from. To clients the source is the virtual address, to real servers the director's own.
#pragma once

#include "datapath/core/checksum.hpp"
#include "datapath/core/count.hpp"
#include "datapath/core/ends.hpp"

namespace penstock {

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
    case IcmpError::relayed:
      break;
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
    case IcmpError::relayed:
      break;
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
  u32 rest;    // second word of its header: the next hop's MTU, for too_big
  AddressImage source;
};

// The director's own address on the link that the packet came by.
template <Platform P>
PEN_INLINE AddressImage own_address(P& p, Family family) {
  const Interface* ingress = p.interface(p.ingress_index());
  if (!ingress) return {};
  return family == Family::ipv4 ? AddressImage{.low = ingress->ipv4, .high = 0} : ingress->ipv6;
}

template <Platform P>
PEN_INLINE IcmpErrorPlan plan_icmp_error(P& p, const Packet& packet, const Refusal& refusal, u32 quoted_max) {
  const bool v4 = packet.key.family == Family::ipv4;
  const IcmpKind kind = refusal.error == IcmpError::relayed ? IcmpKind{refusal.type, refusal.code}
                        : v4                                ? icmpv4_kind(refusal.error)
                                                            : icmpv6_kind(refusal.error);
  return {.kind = kind,
          .quoted = smaller(packet.ip_length, quoted_max),
          .rest = refusal.mtu,
          .source = refusal.from_director ? own_address(p, packet.key.family) : packet.key.vip};
}

// Cuts the packet, makes room for `headers` bytes before it, and turns the Ethernet header round.
template <Platform P>
PEN_INLINE bool begin_icmp_error(P& p, u32 headers, u32 quoted) {
  const auto* old = header_at<EthernetHeader>(p, 0);
  if (!old) return false;
  const EthernetHeader received = *old;
  if (!p.cut_to(network_offset + quoted) || !p.grow_head(headers)) return false;
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
  icmp->rest = big(plan.rest);
  const u64 own =
      static_cast<u64>(plan.kind.type) + (static_cast<u64>(plan.kind.code) << 8) + static_cast<u32>(big(plan.rest));
  icmp->checksum = static_cast<u16>(~fold(own + sum));
  return true;
}

template <Platform P>
PEN_INLINE bool write_ipv4_header(P& p, const Packet& packet, const IcmpErrorPlan& plan, u32 length) {
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
  ip->source = static_cast<u32>(plan.source.low);
  ip->destination = static_cast<u32>(packet.key.client.low);
  const u64 sum = 0x45 + (static_cast<u64>(ip->tos) << 8) + static_cast<u16>(ip->length) + icmp_ttl +
                  (static_cast<u64>(protocol_icmp) << 8) + ip->source + ip->destination;
  ip->checksum = static_cast<u16>(~fold(sum));
  return true;
}

// The length of the error's IP packet; 0: it could not be built.
template <Platform P>
PEN_INLINE u32 build_icmpv4_error(P& p, Work& work) {
  static constexpr u32 headers = sizeof(Ipv4Header) + sizeof(IcmpErrorHeader);
  const IcmpErrorPlan plan = plan_icmp_error(p, work.packet, work.refusal, icmpv4_error_max - headers);
  if (!begin_icmp_error(p, headers, plan.quoted)) return 0;
  const u64 sum = sum_of_packet(p, work, plan.quoted, headers);
  if (!write_icmp_header(p, network_offset + sizeof(Ipv4Header), plan, sum)) return 0;
  if (!write_ipv4_header(p, work.packet, plan, headers + plan.quoted)) return 0;
  return headers + plan.quoted;
}

template <Platform P>
PEN_INLINE bool write_ipv6_header(P& p, const Packet& packet, const IcmpErrorPlan& plan, u32 payload_length) {
  auto* ip = header_at<Ipv6Header>(p, network_offset);
  if (!ip) return false;
  ip->version_class_label[0] = 0x60;
  ip->version_class_label[1] = 0;
  ip->version_class_label[2] = 0;
  ip->version_class_label[3] = 0;
  ip->payload_length = big(static_cast<u16>(payload_length));
  ip->next_header = protocol_icmpv6;
  ip->hop_limit = icmp_ttl;
  store_address(ip->source, plan.source);
  store_address(ip->destination, packet.key.client);
  return true;
}

template <Platform P>
PEN_INLINE u32 build_icmpv6_error(P& p, Work& work) {
  static constexpr u32 headers = sizeof(Ipv6Header) + sizeof(IcmpErrorHeader);
  const IcmpErrorPlan plan = plan_icmp_error(p, work.packet, work.refusal, icmpv6_error_max - headers);
  if (!begin_icmp_error(p, headers, plan.quoted)) return 0;
  const u32 payload_length = static_cast<u32>(sizeof(IcmpErrorHeader)) + plan.quoted;
  const u64 sum = sum_of_packet(p, work, plan.quoted, headers) +
                  sum_of_pseudo_header(plan.source, work.packet.key.client, protocol_icmpv6, payload_length);
  if (!write_icmp_header(p, network_offset + sizeof(Ipv6Header), plan, sum)) return 0;
  if (!write_ipv6_header(p, work.packet, plan, payload_length)) return 0;
  return headers + plan.quoted;
}

// A stage: makes the frame in hand an ICMP error about the packet in it (work.refusal), and sends it back.
template <Platform P>
PEN_INLINE Next refuse(P& p, Work& work) {
  const u32 length = work.packet.key.family == Family::ipv4 ? build_icmpv4_error(p, work) : build_icmpv6_error(p, work);
  if (length == 0) return drop(p, Reason::no_room);
  if (work.refusal.server != no_slot) count_error_out(p, length, work.refusal.server);
  work.tag = work.packet.tag;
  return work.refusal.interface == 0 ? Next::transmit : p.leave_by(work.refusal.interface);
}

enum class Sender : u8 { virtual_address, director };

// `server`: whose connection the packet belongs to, or no_slot. The error counts as going out for it.
template <Platform P>
PEN_INLINE Next refuse_with(P& p, Work& work, IcmpError error, Reason reason, u32 server, u32 mtu = 0,
                            Sender sender = Sender::virtual_address) {
  count(p, reason);
  work.refusal = {.mtu = mtu,
                  .server = server,
                  .error = error,
                  .type = 0,
                  .code = 0,
                  .from_director = sender == Sender::director,
                  .interface = 0};
  return Next::then_refuse;
}

}  // namespace penstock
