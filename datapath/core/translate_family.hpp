// fullnat from an IPv6 virtual address to an IPv4 real server: packets change their family on the way (RFC 7915; ADR-0013). The
// connection says which addresses stand for which, so nothing is said in addresses, and hosts need no prefix of their own.
//
// The transport header stays where it is in memory, and the frame begins later, or earlier. IPv6's extension headers and IPv4's
// options are dropped on the way (RFC 7915 §4.1, 5.1); fragments stay fragments.
#pragma once

#include "datapath/core/forward_fullnat.hpp"
#include "datapath/core/ip_header.hpp"
#include "datapath/core/reply.hpp"

namespace penstock {

static constexpr u32 ipv4_transport = network_offset + sizeof(Ipv4Header);
static constexpr u32 ipv6_transport = network_offset + sizeof(Ipv6Header);

// By so much a plain packet grows from IPv4 to IPv6. Also the TOA option of an IPv6 client: a segment that fits a link to the
// client fits the same link to the server with one.
static constexpr u32 family_growth = ipv6_transport - ipv4_transport;
static_assert(family_growth == toa_bytes_ipv6);

static constexpr u32 ipv6_mtu_min = 1280;  // RFC 8200 §5
static constexpr u32 tcp_and_ipv6_bytes = sizeof(Ipv6Header) + sizeof(TcpHeader);

// IPv4 packets up to this length may be fragmented on their way: hosts on the IPv6 side can't be told of less than
// ipv6_mtu_min (RFC 7915 §5.1).
static constexpr u32 fragmentable_max = ipv6_mtu_min - family_growth;

static constexpr u32 ip_length_max = 0xffff;

PEN_INLINE u32 larger(u32 a, u32 b) { return a > b ? a : b; }

PEN_INLINE u32 payload_bytes(const Packet& packet) { return network_offset + packet.ip_length - packet.transport; }

// Both families count offsets in units of eight bytes: IPv4 right behind three flags, IPv6 before three bits with "more" as last.
PEN_INLINE be16 fragment_as_ipv4(be16 ipv6) {
  const u32 field = host(ipv6);
  return big(static_cast<u16>(field >> 3 | ((field & 1) ? u32{ipv4_more_fragments} : 0)));
}
PEN_INLINE be16 fragment_as_ipv6(be16 ipv4) {
  const u32 field = host(ipv4);
  return big(static_cast<u16>((field & ipv4_fragment_offset) << 3 | ((field & ipv4_more_fragments) ? 1U : 0)));
}

// A datagram's name: IPv4's has sixteen bits, IPv6's 32, of which they are the lower (RFC 7915 §4.1, 5.1.1). As on the wire.
PEN_INLINE be16 id_as_ipv4(u32 ipv6) { return static_cast<be16>(static_cast<u16>(ipv6 >> 16)); }
PEN_INLINE u32 id_as_ipv6(u32 ipv4) { return ipv4 << 16; }

// A packet that may be fragmented needs a name that others of its time don't have.
template <Platform P>
PEN_INLINE be16 new_id(P& p, const Packet& packet) {
  const auto* udp = transport_header<UdpHeader>(p, packet);
  const u64 second = udp ? static_cast<u64>(udp->checksum) << 16 | static_cast<u16>(udp->length) : 0;  // TCP: sequence
  return static_cast<be16>(static_cast<u16>(spread(packet.hash + second + p.now())));
}

// The header that work.packet gets, once it has its new length and place.
template <Platform P>
PEN_INLINE IpHeader header_as_ipv4(P& p, const Packet& packet, const Ends& to) {
  const bool fragments = packet.ip_length <= fragmentable_max;
  IpHeader header{.source = to.source,
                  .destination = to.destination,
                  .length = packet.ip_length,
                  .id = {},
                  .fragment = ipv4_dont_fragment,
                  .protocol = packet.protocol,
                  .tos = packet.tos,
                  .ttl = static_cast<u8>(packet.ttl - 1)};
  if (is_fragment(packet)) {
    header.id = id_as_ipv4(packet.fragment_id);
    header.fragment = fragment_as_ipv4(packet.fragment_offset);
  } else if (fragments) {
    header.id = new_id(p, packet);
    header.fragment = {};
  }
  return header;
}

// The frame begins where an IPv4 packet with this transport header does. Of many packets in one the whole may be too long.
template <Platform P>
PEN_INLINE bool begin_ipv4(P& p, Packet& packet) {
  const u32 length = static_cast<u32>(sizeof(Ipv4Header)) + payload_bytes(packet);
  const u32 before = packet.transport - network_offset;
  packet.transport = ipv4_transport;
  packet.ip_length = length;
  return length <= ip_length_max && p.change_family(Family::ipv4, before, sizeof(Ipv4Header));
}

template <Platform P>
PEN_INLINE bool write_as_ipv4(P& p, Work& work, const Ends& to) {
  const Packet& packet = work.packet;
  auto* ethernet = header_at<EthernetHeader>(p, 0);
  if (!ethernet) return false;
  ethernet->type = ethertype_ipv4;
  if (!write_ipv4(p, network_offset, header_as_ipv4(p, packet, to))) return false;
  return packet.is_later_fragment || packet.is_portless ||
         write_transport(p, work, ends_of(packet.key), to, change_of_addresses(ends_of(packet.key), to));
}

// What the client's link takes in one segment; its own limit, if that isn't known.
template <Platform P>
PEN_INLINE u32 mss_of_client_link(P& p) {
  const Interface* ingress = p.interface(p.ingress_index());
  return ingress && ingress->mtu > tcp_and_ipv6_bytes ? ingress->mtu - tcp_and_ipv6_bytes : tcp_mss_any;
}

// A stage: along work.route, from an IPv6 client to an IPv4 server.
template <Platform P>
PEN_INLINE Next forward_as_ipv4(P& p, Work& work) {
  Packet& packet = work.packet;
  const RealServer* server = p.server(work.route.server);
  const NextHop* hop = p.next_hop(work.route.next_hop);
  if (!server || !hop) return drop(p, Reason::bug);
  if (hop->state == NextHopState::local) return pass(p, Reason::pass_local);
  if (packet.ttl <= 1) return refuse_ttl(p, work, no_slot);
  if (hop->state != NextHopState::resolved) return drop(p, Reason::next_hop_unresolved);
  const u32 length = wire_length(p, packet) - packet.transport + ipv4_transport;
  if (exceeds(p, length, hop->mtu)) {
    if (length <= fragmentable_max) return hand_over(work, Punt::fragmentation);
    if (packet.dont_fragment && !decrement_ttl(p, packet)) return drop(p, Reason::bug);
    return refuse_length(p, work, no_slot, larger(hop->mtu + family_growth, ipv6_mtu_min));
  }
  const Ends to = fullnat_ends(p, work, *server);
  if (!begin_ipv4(p, packet)) return drop(p, Reason::no_room);
  if (!write_as_ipv4(p, work, to)) return drop(p, Reason::bug);
  hide_client_clock(p, work, mss_of_client_link(p));
  tell_client_by_ipv4(p, work, hop->mtu);
  return send_by(p, work, hop);
}

// Where the transport header stands behind IPv6's.
PEN_INLINE u32 transport_behind_ipv6(const Packet& packet) {
  return is_fragment(packet) ? ipv6_transport + static_cast<u32>(sizeof(Ipv6Fragment)) : ipv6_transport;
}

// IPv6 wants a checksum of UDP, and a fragment has not what it is made of (RFC 7915 §4.5).
template <Platform P>
PEN_INLINE bool lacks_checksum(P& p, const Packet& packet) {
  if (packet.protocol != protocol_udp || !packet.is_first_fragment) return false;
  const auto* udp = transport_header<UdpHeader>(p, packet);
  return udp && udp->checksum == 0;
}

// The frame begins where an IPv6 packet with this transport header does; `fragment` is for write_fragment_header().
template <Platform P>
PEN_INLINE bool begin_ipv6(P& p, Packet& packet, be16& fragment) {
  const auto* ip = header_at<Ipv4Header>(p, network_offset);
  if (!ip) return false;
  fragment = fragment_as_ipv6(ip->fragment);
  const u32 transport = transport_behind_ipv6(packet);
  const u32 before = packet.transport - network_offset;
  packet.ip_length = transport - network_offset + payload_bytes(packet);
  packet.transport = static_cast<u16>(transport);
  return p.change_family(Family::ipv6, before, transport - network_offset);
}

template <Platform P>
PEN_INLINE bool write_fragment_header(P& p, const Packet& packet, be16 fragment) {
  auto* header = header_at<Ipv6Fragment>(p, ipv6_transport);
  if (!header) return false;
  header->next_header = packet.protocol;
  header->reserved = 0;
  header->offset = fragment;
  header->id = id_as_ipv6(packet.fragment_id);
  return true;
}

template <Platform P>
PEN_INLINE bool write_as_ipv6(P& p, Work& work, be16 fragment, const Ends& to) {
  const Packet& packet = work.packet;
  const bool fragments = is_fragment(packet);
  const IpHeader header{.source = to.source,
                        .destination = to.destination,
                        .length = packet.ip_length,
                        .id = {},
                        .fragment = {},
                        .protocol = fragments ? protocol_ipv6_fragment : packet.protocol,
                        .tos = packet.tos,
                        .ttl = static_cast<u8>(packet.ttl - 1)};
  auto* ethernet = header_at<EthernetHeader>(p, 0);
  if (!ethernet) return false;
  ethernet->type = ethertype_ipv6;
  if (!write_ipv6(p, network_offset, header)) return false;
  if (fragments && !write_fragment_header(p, packet, fragment)) return false;
  return packet.is_later_fragment || packet.is_portless ||
         write_transport(p, work, ends_of(packet.key), to, change_of_addresses(ends_of(packet.key), to));
}

// A stage: a packet from an IPv4 server, of the request work.claim of an IPv6 client.
template <Platform P>
PEN_INLINE Next answer_as_ipv6(P& p, Work& work) {
  Packet& packet = work.packet;
  const Flow request = find_peer(p, work.claim);
  if (!request.found.record) return drop(p, Reason::superseded);
  const Way way = __builtin_bit_cast(Way, request.detail);
  const Interface* egress = p.interface(way.interface);
  if (!egress || !egress->known) return drop(p, Reason::next_hop_unresolved);
  if (packet.ttl <= 1) return refuse_reply(p, work, IcmpError::time_exceeded, Reason::ttl_exceeded, 0);
  if (lacks_checksum(p, packet)) return drop(p, Reason::no_checksum);
  const u32 length = wire_length(p, packet) - packet.transport + transport_behind_ipv6(packet);
  if (egress->mtu != 0 && exceeds(p, length, egress->mtu)) {
    if (packet.dont_fragment)
      return refuse_reply(p, work, IcmpError::too_big, Reason::too_big, egress->mtu - family_growth);
    count_out(p, packet, request.server);  // and not when it comes again
    return hand_over(work, Punt::fragmentation);
  }
  const FlowKey key = key_of(request);
  be16 fragment{};
  count_out(p, packet, request.server);
  if (!begin_ipv6(p, packet, fragment)) return drop(p, Reason::no_room);
  if (!write_as_ipv6(p, work, fragment, ends_back(key))) return drop(p, Reason::bug);
  keep_room(p, work, family_growth);
  if (!packet.is_later_fragment) take_answer(p, work, request, key);
  return send_back(p, work, way, *egress, work.tag.control);
}

}  // namespace penstock
