// From a frame to a Packet. Two steps, because most frames that are not for a virtual address can be told by the first.
#pragma once

#include "datapath/core/hash.hpp"
#include "datapath/core/header.hpp"
#include "datapath/core/packet.hpp"
#include "datapath/core/wire.hpp"

namespace penstock {

// What parsing found: nothing against the packet, or the reason to leave it to the kernel.
struct Parsed {
  bool ok;
  Reason reason;
};

static constexpr Parsed parsed{true, Reason::bug};
PEN_INLINE constexpr Parsed unfit(Reason reason) { return {false, reason}; }

template <Platform P>
PEN_INLINE u32 frame_length(const P& p) {
  return static_cast<u32>(p.data_end() - p.data());
}

template <Platform P>
PEN_INLINE Parsed parse_ipv4(const P& p, Packet& packet) {
  const auto* ip = header_at<Ipv4Header>(p, network_offset);
  if (!ip) return unfit(Reason::pass_malformed);
  const u32 header_length = (ip->version_and_words & 0x0fU) * 4;
  packet.ip_length = host(ip->length);
  const bool sound = ip->version_and_words >> 4 == 4 && header_length >= sizeof(Ipv4Header) &&
                     packet.ip_length >= header_length && network_offset + packet.ip_length <= frame_length(p);
  if (!sound) return unfit(Reason::pass_malformed);
  packet.key.family = Family::ipv4;
  packet.key.client.low = ip->source;
  packet.key.vip.low = ip->destination;
  packet.key.protocol = ip->protocol;
  packet.transport = static_cast<u16>(network_offset + header_length);
  packet.ttl = ip->ttl;
  packet.tos = ip->tos;
  packet.is_fragment = (host(ip->fragment) & ipv4_fragment_bits) != 0;
  packet.dont_fragment = (static_cast<u16>(ip->fragment) & static_cast<u16>(ipv4_dont_fragment)) != 0;
  return parsed;
}

template <Platform P>
PEN_INLINE Parsed parse_ipv6(const P& p, Packet& packet) {
  const auto* ip = header_at<Ipv6Header>(p, network_offset);
  if (!ip) return unfit(Reason::pass_malformed);
  packet.ip_length = static_cast<u32>(sizeof(Ipv6Header)) + host(ip->payload_length);
  const bool sound = ip->version_class_label[0] >> 4 == 6 && network_offset + packet.ip_length <= frame_length(p);
  if (!sound) return unfit(Reason::pass_malformed);
  packet.key.family = Family::ipv6;
  packet.key.client.low = ip->source[0] | static_cast<u64>(ip->source[1]) << 32;
  packet.key.client.high = ip->source[2] | static_cast<u64>(ip->source[3]) << 32;
  packet.key.vip.low = ip->destination[0] | static_cast<u64>(ip->destination[1]) << 32;
  packet.key.vip.high = ip->destination[2] | static_cast<u64>(ip->destination[3]) << 32;
  packet.key.protocol = ip->next_header;
  packet.transport = network_offset + sizeof(Ipv6Header);
  packet.ttl = ip->hop_limit;
  packet.dont_fragment = true;
  return parsed;
}

// Broadcast and multicast frames are nobody's connection; frames for another machine come in on promiscuous interfaces (IPVS
// leaves both alone).
template <Platform P>
PEN_INLINE bool is_for_us(P& p, const EthernetHeader& ethernet) {
  if (ethernet.destination[0] & 1) return false;
  const Interface* ingress = p.ingress();
  if (!ingress || !ingress->known) return true;
  u32 difference = 0;
  for (u32 i = 0; i < 6; ++i) difference |= ethernet.destination[i] ^ ingress->address[i];
  return difference == 0;
}

// Family, addresses, protocol, lengths. `packet` comes zeroed.
template <Platform P>
PEN_INLINE Parsed parse_network(P& p, Packet& packet) {
  const auto* ethernet = header_at<EthernetHeader>(p, 0);
  if (!ethernet) return unfit(Reason::pass_malformed);
  if (!is_for_us(p, *ethernet)) return unfit(Reason::pass_other_host);
  if (ethernet->type == ethertype_ipv4) return parse_ipv4(p, packet);
  if (ethernet->type == ethertype_ipv6) return parse_ipv6(p, packet);
  return unfit(Reason::pass_not_ip);
}

// What every offset of a transport header is: below 16 KiB, and a multiple of four behind Ethernet's fourteen bytes. Said again
// where it is used, for the verifier: it doesn't know what it loads from memory, and a kernel may insist on alignment.
static constexpr u32 transport_mask = 0x3ffc;
static constexpr u32 transport_remainder = network_offset % 4;

template <typename Header, Platform P>
PEN_INLINE const Header* transport_header(const P& p, const Packet& packet) {
  return header_at<Header>(p, (packet.transport & transport_mask) | transport_remainder);
}

struct Ipv6Extension {
  u8 next_header;
  u8 length;  // in units of 8 bytes, less one
};

// More than these in a row are left to the kernel.
static constexpr u32 ipv6_extensions_max = 4;

// Hop-by-hop options, routing and destination options stand between the header and what is balanced (RFC 8200 §4.1).
PEN_INLINE bool is_ipv6_extension(u8 next_header) { return next_header == 0 || next_header == 43 || next_header == 60; }

template <Platform P>
PEN_INLINE Parsed skip_ipv6_extensions(const P& p, Packet& packet) {
  for (u32 i = 0; i < ipv6_extensions_max && is_ipv6_extension(packet.key.protocol); ++i) {
    const auto* extension = transport_header<Ipv6Extension>(p, packet);
    if (!extension) return unfit(Reason::pass_malformed);
    packet.key.protocol = extension->next_header;
    packet.transport = static_cast<u16>(packet.transport + (extension->length + 1U) * 8);
  }
  if (packet.key.protocol == protocol_ipv6_fragment) packet.is_fragment = true;
  return parsed;
}

template <Platform P>
PEN_INLINE Parsed parse_ports(const P& p, Packet& packet, u32 header_length) {
  if (packet.transport + header_length > network_offset + packet.ip_length) return unfit(Reason::pass_malformed);
  const auto* ports = transport_header<PortsHeader>(p, packet);
  if (!ports) return unfit(Reason::pass_malformed);
  packet.key.client_port = ports->source;
  packet.key.vip_port = ports->destination;
  return parsed;
}

template <Platform P>
PEN_INLINE Parsed parse_tcp(const P& p, Packet& packet) {
  const auto* tcp = transport_header<TcpHeader>(p, packet);
  if (!tcp) return unfit(Reason::pass_malformed);
  packet.tcp_flags = tcp->flags;
  return parse_ports(p, packet, sizeof(TcpHeader));
}

// Ports, flags and the flow's hash.
template <Platform P>
PEN_INLINE Parsed parse_transport(const P& p, Packet& packet) {
  if (packet.key.family == Family::ipv6) {
    const Parsed skipped = skip_ipv6_extensions(p, packet);
    if (!skipped.ok) return skipped;
  }
  if (packet.is_fragment) return unfit(Reason::pass_fragment);
  switch (packet.key.protocol) {
    case protocol_tcp:
      return parse_tcp(p, packet);
    case protocol_udp:
      return parse_ports(p, packet, sizeof(UdpHeader));
    case protocol_icmp:
    case protocol_icmpv6:
      return unfit(Reason::pass_icmp);
    default:
      return unfit(Reason::pass_protocol);
  }
}

}  // namespace penstock
