// From a frame to a Packet. Two steps, because most frames that are not for a virtual address can be told by the first.
#pragma once

#include "datapath/core/hash.hpp"
#include "datapath/core/header.hpp"
#include "datapath/core/states.hpp"
#include "datapath/core/work.hpp"

namespace penstock {

// What parsing found: nothing against the packet, or the reason to leave it to the kernel.
struct Parsed {
  bool ok;
  Reason reason;
};

static constexpr Parsed parsed{true, Reason::bug};
PEN_INLINE constexpr Parsed unfit(Reason reason) { return {false, reason}; }

template <Platform P>
PEN_INLINE Parsed parse_ipv4(const P& p, Packet& packet) {
  const auto* ip = header_at<Ipv4Header>(p, network_offset);
  if (!ip) return unfit(Reason::pass_malformed);
  const u32 header_length = (ip->version_and_words & 0x0fU) * 4;
  packet.ip_length = host(ip->length);
  const bool sound = ip->version_and_words >> 4 == 4 && header_length >= sizeof(Ipv4Header) &&
                     packet.ip_length >= header_length && network_offset + packet.ip_length <= p.length();
  if (!sound) return unfit(Reason::pass_malformed);
  packet.key.family = Family::ipv4;
  packet.key.client = {.low = ip->source, .high = 0};
  packet.key.vip = {.low = ip->destination, .high = 0};
  packet.key.protocol = ip->protocol;
  packet.protocol = ip->protocol;
  packet.transport = static_cast<u16>(network_offset + header_length);
  packet.ttl = ip->ttl;
  packet.tos = ip->tos;
  packet.fragment_id = static_cast<u16>(ip->id);
  packet.dont_fragment = (static_cast<u16>(ip->fragment) & static_cast<u16>(ipv4_dont_fragment)) != 0;
  const u16 fragment =
      static_cast<u16>(ip->fragment) & static_cast<u16>(big(u16{ipv4_fragment_offset | ipv4_more_fragments}));
  if (fragment != 0) {
    packet.is_later_fragment = (fragment & static_cast<u16>(big(u16{ipv4_fragment_offset}))) != 0;
    packet.is_first_fragment = !packet.is_later_fragment;
  }
  return parsed;
}

PEN_INLINE AddressImage address_of(const u32 (&words)[4]) {
  return {.low = words[0] | static_cast<u64>(words[1]) << 32, .high = words[2] | static_cast<u64>(words[3]) << 32};
}

template <Platform P>
PEN_INLINE Parsed parse_ipv6(const P& p, Packet& packet) {
  const auto* ip = header_at<Ipv6Header>(p, network_offset);
  if (!ip) return unfit(Reason::pass_malformed);
  packet.ip_length = static_cast<u32>(sizeof(Ipv6Header)) + host(ip->payload_length);
  const bool sound = ip->version_class_label[0] >> 4 == 6 && network_offset + packet.ip_length <= p.length();
  if (!sound) return unfit(Reason::pass_malformed);
  packet.key.family = Family::ipv6;
  packet.key.client = address_of(ip->source);
  packet.key.vip = address_of(ip->destination);
  packet.key.protocol = ip->next_header;
  packet.protocol = ip->next_header;
  packet.transport = network_offset + sizeof(Ipv6Header);
  packet.ttl = ip->hop_limit;
  packet.tos = static_cast<u8>(ip->version_class_label[0] << 4 | ip->version_class_label[1] >> 4);
  packet.dont_fragment = true;
  return parsed;
}

// In pieces of two bytes, by which a frame is aligned.
PEN_INLINE bool same_mac(const EthernetHeader& ethernet, const Interface& interface) {
  static_assert(__builtin_offsetof(Interface, address) == 0);
  u16 wanted[3];
  u16 own[3];
  __builtin_memcpy(wanted, &ethernet, sizeof wanted);
  __builtin_memcpy(own, &interface, sizeof own);
  return ((wanted[0] ^ own[0]) | (wanted[1] ^ own[1]) | (wanted[2] ^ own[2])) == 0;
}

// Broadcast and multicast frames are nobody's connection; frames for another machine come in on promiscuous interfaces (IPVS
// leaves both alone).
template <Platform P>
PEN_INLINE bool is_for_us(P& p, const EthernetHeader& ethernet) {
  if (ethernet.destination[0] & 1) return false;
  const Interface* ingress = p.interface(p.ingress_index());
  return !ingress || !ingress->known || same_mac(ethernet, *ingress);
}

template <Platform P>
PEN_INLINE Parsed parse_ip(const P& p, be16 type, Packet& packet) {
  if (type == ethertype_ipv4) return parse_ipv4(p, packet);
  if (type == ethertype_ipv6) return parse_ipv6(p, packet);
  return unfit(Reason::pass_not_ip);
}

// Family, addresses, protocol, lengths. `packet` comes cleared (begin_work).
template <Platform P>
PEN_INLINE Parsed parse_network(P& p, const EthernetHeader& ethernet, Packet& packet) {
  if (!is_for_us(p, ethernet)) return unfit(Reason::pass_other_host);
  return parse_ip(p, ethernet.type, packet);
}
template <Platform P>
PEN_INLINE Parsed parse_network(P& p, Packet& packet) {
  const auto* ethernet = header_at<EthernetHeader>(p, 0);
  return ethernet ? parse_network(p, *ethernet, packet) : unfit(Reason::pass_malformed);
}

// What every offset of a transport header is: below 16 KiB, and a multiple of four behind Ethernet's fourteen bytes. Said again
// where it is used, for the verifier: it doesn't know what it loads from memory, and a kernel may insist on alignment.
static constexpr u32 transport_mask = 0x3ffc;
static constexpr u32 transport_remainder = network_offset % 4;

PEN_INLINE u32 transport_offset(const Packet& packet) {
  return (packet.transport & transport_mask) | transport_remainder;
}

template <typename Header, Platform P>
PEN_INLINE Header* transport_header(const P& p, const Packet& packet) {
  return header_at<Header>(p, transport_offset(packet));
}

// The transport header of a packet that is long enough to have it, or null.
template <typename Header, Platform P>
PEN_INLINE const Header* whole_transport_header(const P& p, const Packet& packet) {
  if (packet.transport + sizeof(Header) > network_offset + packet.ip_length) return nullptr;
  return transport_header<Header>(p, packet);
}

template <typename Header>
PEN_INLINE Parsed take_ports(Packet& packet, const Header& header) {
  packet.key.client_port = header.source;
  packet.key.vip_port = header.destination;
  return parsed;
}

template <Platform P>
PEN_INLINE Parsed parse_tcp(const P& p, Packet& packet) {
  const auto* tcp = whole_transport_header<TcpHeader>(p, packet);
  if (!tcp) return unfit(Reason::pass_malformed);
  packet.tcp_flags = tcp->flags;
  packet.event = tcp_event(tcp->flags);
  return take_ports(packet, *tcp);
}

template <Platform P>
PEN_INLINE Parsed parse_udp(const P& p, Packet& packet) {
  const auto* udp = whole_transport_header<UdpHeader>(p, packet);
  packet.machine = Machine::udp;
  return udp ? take_ports(packet, *udp) : unfit(Reason::pass_malformed);
}

struct SctpStart {
  SctpHeader header;
  SctpChunk chunk;
};

static constexpr u8 sctp_abort_chunk = 6;
static constexpr u8 sctp_cookie_echo_chunk = 10;
static constexpr u8 sctp_cookie_ack_chunk = 11;

// IPVS: an ABORT right behind a cookie counts (set_sctp_state).
template <Platform P>
PEN_INLINE bool is_abort_bundled(const P& p, const Packet& packet, const SctpChunk& first) {
  if (first.type != sctp_cookie_echo_chunk && first.type != sctp_cookie_ack_chunk) return false;
  const u32 next = ((host(first.length) + 3U) & 0xfffcU) + sizeof(SctpHeader);
  const auto* second = header_at<SctpChunk>(p, ((packet.transport + next) & transport_mask) | transport_remainder);
  return second && second->type == sctp_abort_chunk;
}

template <Platform P>
PEN_INLINE Parsed parse_sctp(const P& p, Packet& packet) {
  const auto* start = whole_transport_header<SctpStart>(p, packet);
  if (!start) return unfit(Reason::pass_malformed);
  packet.machine = Machine::sctp;
  packet.event =
      is_abort_bundled(p, packet, start->chunk) ? static_cast<u8>(SctpEvent::abort) : sctp_event(start->chunk.type);
  return take_ports(packet, start->header);
}

// AH and ESP have no ports: they belong to the IKE connection of the same two machines (IPVS: ip_vs_proto_ah_esp.c).
static constexpr be16 ike_port = big(u16{500});

PEN_INLINE Parsed parse_ipsec(Packet& packet) {
  packet.machine = Machine::udp;
  packet.key.protocol = protocol_udp;
  packet.key.client_port = ike_port;
  packet.key.vip_port = ike_port;
  packet.is_portless = true;
  return parsed;
}

PEN_INLINE bool is_icmp(const Packet& packet) {
  return packet.protocol == (packet.key.family == Family::ipv4 ? protocol_icmp : protocol_icmpv6);
}

// Ports and event, of what stands at packet.transport.
template <Platform P>
PEN_INLINE Parsed parse_transport(const P& p, Packet& packet) {
  if (is_tcp(packet.key)) return parse_tcp(p, packet);
  switch (packet.key.protocol) {
    case protocol_udp:
      return parse_udp(p, packet);
    case protocol_sctp:
      return parse_sctp(p, packet);
    case protocol_ah:
    case protocol_esp:
      return parse_ipsec(packet);
    default:
      return unfit(is_icmp(packet) ? Reason::pass_icmp : Reason::pass_protocol);
  }
}

}  // namespace penstock
