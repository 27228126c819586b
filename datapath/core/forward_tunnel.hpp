// tunnel: the packet goes into another one, from the director to the real server (IPVS: ip_vs_tunnel_xmit; RFC 2003, 2473, 2784,
// GUE as in include/net/gue.h). The real server takes it out and answers the client itself.
#pragma once

#include "datapath/core/ip_header.hpp"
#include "datapath/core/out.hpp"

namespace penstock {

// Bytes before the inner packet: an outer IP header, and for GRE and GUE one more.
static constexpr u32 gre_bytes = sizeof(GreHeader);
static constexpr u32 gre_checksum_bytes = 4;
static constexpr u32 gue_bytes = 4;
static constexpr u32 gue_shim_bytes = sizeof(UdpHeader) + gue_bytes;

PEN_INLINE u32 outer_bytes(const RealServer& server) {
  return server.family == Family::ipv4 ? sizeof(Ipv4Header) : sizeof(Ipv6Header);
}

// Between the outer header and the inner packet.
PEN_INLINE u32 shim_bytes(const RealServer& server, TunnelChecksum checksum) {
  switch (server.tunnel) {
    case TunnelType::ipip:
      return 0;
    case TunnelType::gue:
      return gue_shim_bytes;
    case TunnelType::gre:
      return gre_bytes + (checksum == TunnelChecksum::none ? 0 : gre_checksum_bytes);
  }
  return 0;
}

PEN_INLINE u8 inner_protocol(const Packet& packet) {
  return packet.key.family == Family::ipv4 ? protocol_ipip : protocol_ipv6;
}

PEN_INLINE u8 outer_protocol(const RealServer& server, const Packet& packet) {
  switch (server.tunnel) {
    case TunnelType::ipip:
      return inner_protocol(packet);
    case TunnelType::gue:
      return protocol_udp;
    case TunnelType::gre:
      return protocol_gre;
  }
  return 0;
}

// RFC 3168 §9.1.1, full functionality: a congestion mark stays inside.
PEN_INLINE u8 outer_tos(u8 tos) { return (tos & 3) == 3 ? static_cast<u8>((tos & ~3U) | 2) : tos; }

// What is known of the way to the server: an ICMP error may have said less than the next hop's MTU.
template <Platform P>
PEN_INLINE u32 path_mtu(P& p, u32 slot, const NextHop& hop) {
  const ServerLoad* load = p.load(slot);
  if (!load) return hop.mtu;
  const u32 learnt = load_acquire(&load->path_mtu);
  if (learnt == 0 || learnt >= hop.mtu || is_past(load_acquire(&load->path_mtu_expires), p.now())) return hop.mtu;
  return learnt;
}

// `inner_sum`: of the inner packet, for checksums that cover it.
template <Platform P>
PEN_INLINE bool write_gre(P& p, u32 offset, const Packet& packet, TunnelChecksum checksum, u64 inner_sum) {
  const be16 type = packet.key.family == Family::ipv4 ? ethertype_ipv4 : ethertype_ipv6;
  auto* gre = header_at<GreHeader>(p, offset);
  if (!gre) return false;
  gre->flags = checksum == TunnelChecksum::none ? be16{} : gre_with_checksum;
  gre->protocol = type;
  if (checksum == TunnelChecksum::none) return true;
  auto* sum = header_at<u16>(p, offset + gre_bytes);
  auto* reserved = header_at<u16>(p, offset + gre_bytes + 2);
  if (!sum || !reserved) return false;
  *sum = static_cast<u16>(~fold(inner_sum + static_cast<u16>(gre_with_checksum) + static_cast<u16>(type)));
  *reserved = 0;
  return true;
}

// Source ports of GUE spread flows over a network's paths.
PEN_INLINE be16 gue_source_port(u64 hash) { return big(static_cast<u16>(0xc000 | (hash & 0x3fff))); }

template <Platform P>
PEN_INLINE bool write_gue(P& p, u32 offset, const Work& work, const RealServer& server, const IpHeader& outer,
                          TunnelChecksum checksum, u64 inner_sum) {
  auto* udp = header_at<UdpHeader>(p, offset);
  auto* gue = header_at<u32>(p, offset + sizeof(UdpHeader));
  if (!udp || !gue) return false;
  const u32 length = gue_shim_bytes + work.packet.ip_length;
  udp->source = gue_source_port(work.packet.hash);
  udp->destination = server.tunnel_port;
  udp->length = big(static_cast<u16>(length));
  udp->checksum = 0;
  *gue = static_cast<u32>(inner_protocol(work.packet)) << 8;  // version, control, length, flags: all 0
  if (checksum == TunnelChecksum::none) return true;
  const u64 sum = inner_sum + *gue + static_cast<u16>(udp->source) + static_cast<u16>(udp->destination) +
                  static_cast<u16>(udp->length) +
                  sum_of_pseudo_header(outer.source, outer.destination, protocol_udp, length);
  const u16 sent = static_cast<u16>(~fold(sum));
  udp->checksum = sent == 0 ? 0xffff : sent;
  return true;
}

template <Platform P>
PEN_INLINE bool write_shim(P& p, u32 offset, const Work& work, const RealServer& server, const IpHeader& outer,
                           TunnelChecksum checksum, u64 inner_sum) {
  switch (server.tunnel) {
    case TunnelType::ipip:
      return true;
    case TunnelType::gre:
      return write_gre(p, offset, work.packet, checksum, inner_sum);
    case TunnelType::gue:
      return write_gue(p, offset, work, server, outer, checksum, inner_sum);
  }
  return false;
}

template <Platform P>
PEN_INLINE bool write_outer(P& p, const Work& work, const RealServer& server, const IpHeader& outer,
                            TunnelChecksum checksum, u64 inner_sum) {
  auto* ethernet = header_at<EthernetHeader>(p, 0);
  if (!ethernet) return false;
  if (server.family == Family::ipv4) {
    ethernet->type = ethertype_ipv4;
    return write_ipv4(p, network_offset, outer) &&
           write_shim(p, network_offset + sizeof(Ipv4Header), work, server, outer, checksum, inner_sum);
  }
  ethernet->type = ethertype_ipv6;
  return write_ipv6(p, network_offset, outer) &&
         write_shim(p, network_offset + sizeof(Ipv6Header), work, server, outer, checksum, inner_sum);
}

// A tunnel's checksum is over one packet. Where a frame is many, only whoever cuts it could compute them, and the kernel can't be
// told to from here: they go without.
template <Platform P>
PEN_INLINE TunnelChecksum tunnel_checksum(P& p, const RealServer& server) {
  if (server.tunnel == TunnelType::ipip) return TunnelChecksum::none;
  if (server.tunnel_checksum == TunnelChecksum::none || p.segment_payload() == 0) return server.tunnel_checksum;
  count(p, Reason::tunnel_not_summed);
  return TunnelChecksum::none;
}

template <Platform P>
PEN_INLINE bool encapsulate(P& p, Work& work, const RealServer& server, const NextHop& hop, bool copies_df) {
  const Packet& packet = work.packet;
  const TunnelChecksum checksum = tunnel_checksum(p, server);
  const u32 overhead = outer_bytes(server) + shim_bytes(server, checksum);
  const bool v4 = packet.key.family == Family::ipv4;
  const bool is_whole = v4 && copies_df && packet.dont_fragment;
  const u32 id = is_whole ? 0 : static_cast<u32>(packet.hash) ^ packet.fragment_id ^ p.now();
  const IpHeader outer{.source = hop.address,
                       .destination = server.address,
                       .length = packet.ip_length + overhead,
                       .id = big(static_cast<u16>(id)),
                       .fragment = is_whole ? ipv4_dont_fragment : be16{},
                       .protocol = outer_protocol(server, packet),
                       .tos = outer_tos(packet.tos),
                       .ttl = static_cast<u8>(packet.ttl - 1)};
  const u64 inner_sum = checksum != TunnelChecksum::none ? sum_of_packet(p, work, packet.ip_length) : 0;
  const Wrapping wrapping{.family = server.family, .protocol = outer.protocol};
  return p.wrap(wrapping, overhead) && write_outer(p, work, server, outer, checksum, inner_sum);
}

// A stage.
template <Platform P>
PEN_INLINE Next forward_tunnel(P& p, Work& work) {
  const Packet& packet = work.packet;
  const u32 slot = work.route.server;
  const RealServer* server = p.server(slot);
  const NextHop* hop = p.next_hop(work.route.next_hop);
  const Settings* settings = p.settings();
  if (!server || !hop || !settings) return drop(p, Reason::bug);
  if (hop->state == NextHopState::local) return pass(p, Reason::pass_local);
  if (packet.ttl <= 1) return refuse_ttl(p, work, slot);
  if (hop->state != NextHopState::resolved) return drop(p, Reason::next_hop_unresolved);
  const bool discovers = load_acquire(&settings->pmtu_disc) != 0;
  const u32 overhead = outer_bytes(*server) + shim_bytes(*server, server->tunnel_checksum);
  const u32 whole = path_mtu(p, slot, *hop);
  const u32 mtu = whole > overhead ? whole - overhead : 0;
  if (is_longer_than(p, packet, mtu)) {
    const bool v4 = packet.key.family == Family::ipv4;
    if (v4 ? !packet.dont_fragment || !discovers : is_fragment(packet)) return hand_over(work, Punt::fragmentation);
    if (!decrement_ttl(p, packet)) return drop(p, Reason::bug);
    return refuse_length(p, work, slot, mtu);
  }
  if (!decrement_ttl(p, packet)) return drop(p, Reason::bug);
  if (!encapsulate(p, work, *server, *hop, discovers)) return drop(p, Reason::no_room);
  return send_by(p, work, hop);
}

}  // namespace penstock
