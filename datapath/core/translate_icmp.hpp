// ICMP errors about connections whose two sides are of different families (translate_family.hpp): the error changes its family,
// and so does the packet that it quotes (RFC 7915 §4.2, 4.3, 5.2, 5.3). What one family can't say of another's packet ends here.
#pragma once

#include "datapath/core/icmp.hpp"
#include "datapath/core/translate_family.hpp"

namespace penstock {

// An error in the other family's words, with the second word of its header in host order.
struct IcmpWords {
  bool exist;
  IcmpKind kind;
  u32 rest;
};

static constexpr IcmpWords no_words{};
PEN_INLINE constexpr IcmpWords icmp_words(u8 type, u8 code, u32 rest = 0) { return {true, {type, code}, rest}; }

static constexpr u8 icmpv6_unreachable = 1;
static constexpr u8 icmpv6_time_exceeded = 3;
static constexpr u8 icmpv6_parameter_problem = 4;
static constexpr u8 icmpv6_unknown_next_header = 1;  // code of a parameter problem
static constexpr u32 place_of_next_header = 6;       // in an IPv6 header

PEN_INLINE IcmpWords unreachable_as_ipv6(u8 code) {
  switch (code) {
    case 2:  // protocol
      return icmp_words(icmpv6_parameter_problem, icmpv6_unknown_next_header, place_of_next_header);
    case 3:  // port
      return icmp_words(icmpv6_unreachable, 4);
    case 9:  // prohibited, of whatever kind
    case 10:
    case 13:
    case 15:
      return icmp_words(icmpv6_unreachable, 1);
    case 0:  // no route, of whatever kind
    case 1:
    case 5:
    case 6:
    case 7:
    case 8:
    case 11:
    case 12:
      return icmp_words(icmpv6_unreachable, 0);
    default:
      return no_words;
  }
}

// `rest`: 0 from routers older than RFC 1191, which don't say what would fit.
PEN_INLINE IcmpWords icmp_as_ipv6(u8 type, u8 code, u32 rest) {
  if (type == icmp_time_exceeded) return icmp_words(icmpv6_time_exceeded, code);
  if (type != icmp_unreachable) return no_words;
  if (code != icmp_fragmentation_needed) return unreachable_as_ipv6(code);
  return icmp_words(icmpv6_too_big, 0, larger((rest & 0xffff) + family_growth, ipv6_mtu_min));
}

PEN_INLINE IcmpWords unreachable_as_ipv4(u8 code) {
  switch (code) {
    case 0:  // no route, beyond its scope, no such neighbour
    case 2:
    case 3:
      return icmp_words(icmp_unreachable, 1);
    case 1:  // prohibited
      return icmp_words(icmp_unreachable, 10);
    case 4:  // port
      return icmp_words(icmp_unreachable, 3);
    default:
      return no_words;
  }
}

PEN_INLINE IcmpWords icmp_as_ipv4(u8 type, u8 code, u32 rest) {
  if (type == icmpv6_unreachable) return unreachable_as_ipv4(code);
  if (type == icmpv6_time_exceeded) return icmp_words(icmp_time_exceeded, code);
  if (type == icmpv6_too_big)
    return icmp_words(icmp_unreachable, icmp_fragmentation_needed,
                      smaller(larger(rest, ipv6_mtu_min), 0xffff) - family_growth);
  if (type == icmpv6_parameter_problem && code == icmpv6_unknown_next_header) return icmp_words(icmp_unreachable, 2);
  return no_words;
}

// What of the quoted packet goes over, before the frame is changed.
struct QuotedPacket {
  u32 payload;  // bytes of its transport header and what followed it, as sent
  u32 quoted;   // of these the error has so many, and so many may go on
  u8 tos;
  u8 ttl;
  u8 protocol;
};

template <Platform P>
PEN_INLINE bool read_quoted(const P& p, const Work& work, u32 quoted_max, QuotedPacket& quoted) {
  const Packet& packet = work.packet;
  const u32 offset = quote_offset(packet);
  const u32 end = network_offset + packet.ip_length;
  if (work.quote.transport + quoted_transport_min > end) return false;
  u32 length = 0;
  if (packet.key.family == Family::ipv4) {
    const auto* ip = header_at<Ipv4Header>(p, offset);
    if (!ip) return false;
    length = host(ip->length);
    quoted.tos = ip->tos;
    quoted.ttl = ip->ttl;
  } else {
    const auto* ip = header_at<Ipv6Header>(p, offset);
    if (!ip) return false;
    length = static_cast<u32>(sizeof(Ipv6Header)) + host(ip->payload_length);
    quoted.tos = static_cast<u8>(ip->version_class_label[0] << 4 | ip->version_class_label[1] >> 4);
    quoted.ttl = ip->hop_limit;
  }
  const u32 headers = work.quote.transport - offset;
  if (length < headers) return false;
  quoted.payload = length - headers;
  quoted.quoted = smaller(end - work.quote.transport, quoted_max);
  quoted.protocol = work.quote.protocol;
  return true;
}

// The frame becomes: Ethernet, IP, ICMP, IP, and what was quoted of the transport.
template <u32 ip_bytes>
struct ErrorLayout {
  static constexpr u32 icmp = network_offset + ip_bytes;
  static constexpr u32 quote = icmp + sizeof(IcmpErrorHeader);
  static constexpr u32 transport = quote + ip_bytes;
};

template <u32 ip_bytes, Platform P>
PEN_INLINE bool write_header(P& p, u32 offset, const IpHeader& header) {
  if constexpr (ip_bytes == sizeof(Ipv6Header))
    return write_ipv6(p, offset, header);
  else
    return write_ipv4(p, offset, header);
}

// What is too much is cut off, and the quoted transport header stands where it is to stand.
template <u32 ip_bytes, Platform P>
PEN_INLINE bool begin_error(P& p, const Work& work, const QuotedPacket& quoted) {
  static constexpr Family family = ip_bytes == sizeof(Ipv6Header) ? Family::ipv6 : Family::ipv4;
  const u32 present = work.quote.transport;
  return p.cut_to(present + quoted.quoted) &&
         p.change_family(family, present - network_offset, ErrorLayout<ip_bytes>::transport - network_offset);
}

// The error's own ends, and those of the packet that it quotes.
struct ErrorEnds {
  Ends outer;
  Ends quoted;
};

template <u32 ip_bytes, Platform P>
PEN_INLINE bool write_error_headers(P& p, const Work& work, const QuotedPacket& quoted, const ErrorEnds& ends) {
  using At = ErrorLayout<ip_bytes>;
  static constexpr bool v6 = ip_bytes == sizeof(Ipv6Header);
  const IpHeader outer{.source = ends.outer.source,
                       .destination = ends.outer.destination,
                       .length = At::transport - network_offset + quoted.quoted,
                       .id = {},
                       .fragment = {},
                       .protocol = v6 ? protocol_icmpv6 : protocol_icmp,
                       .tos = work.packet.tos,
                       .ttl = static_cast<u8>(work.packet.ttl - 1)};
  const IpHeader inner{.source = ends.quoted.source,
                       .destination = ends.quoted.destination,
                       .length = ip_bytes + quoted.payload,
                       .id = {},
                       .fragment = ip_bytes + quoted.payload > fragmentable_max ? ipv4_dont_fragment : be16{},
                       .protocol = quoted.protocol,
                       .tos = quoted.tos,
                       .ttl = quoted.ttl};
  auto* ethernet = header_at<EthernetHeader>(p, 0);
  if (!ethernet) return false;
  ethernet->type = v6 ? ethertype_ipv6 : ethertype_ipv4;
  if (!write_header<ip_bytes>(p, network_offset, outer) || !write_header<ip_bytes>(p, At::quote, inner)) return false;
  if (work.quote.is_portless) return true;
  auto* ports = header_at<PortsHeader>(p, At::transport);
  if (!ports) return false;
  ports->source = ends.quoted.source_port;
  ports->destination = ends.quoted.destination_port;
  return true;
}

template <u32 ip_bytes, Platform P>
PEN_INLINE bool write_error_icmp(P& p, Work& work, const QuotedPacket& quoted, const Ends& outer,
                                 const IcmpWords& words) {
  using At = ErrorLayout<ip_bytes>;
  const u32 covered = ip_bytes + quoted.quoted;
  u64 sum = sum_of(p, work, At::quote, covered);
  if constexpr (ip_bytes == sizeof(Ipv6Header))
    sum += sum_of_pseudo_header(outer.source, outer.destination, protocol_icmpv6,
                                static_cast<u32>(sizeof(IcmpErrorHeader)) + covered);
  const IcmpErrorPlan plan{.kind = words.kind, .quoted = covered, .rest = words.rest, .source = outer.source};
  return write_icmp_header(p, At::icmp, plan, sum);
}

template <u32 ip_bytes, Platform P>
PEN_INLINE bool write_error(P& p, Work& work, const QuotedPacket& quoted, const ErrorEnds& ends,
                            const IcmpWords& words) {
  return write_error_headers<ip_bytes>(p, work, quoted, ends) &&
         write_error_icmp<ip_bytes>(p, work, quoted, ends.outer, words);
}

// The error in hand, in the other family's words.
template <Platform P>
PEN_INLINE IcmpWords words_of(const P& p, const Packet& packet) {
  const auto* icmp = transport_header<IcmpErrorHeader>(p, packet);
  if (!icmp) return no_words;
  const u32 rest = host(icmp->rest);
  return packet.key.family == Family::ipv4 ? icmp_as_ipv6(icmp->type, icmp->code, rest)
                                           : icmp_as_ipv4(icmp->type, icmp->code, rest);
}

static constexpr u32 error_headers_ipv4 = 2 * sizeof(Ipv4Header) + sizeof(IcmpErrorHeader);
static constexpr u32 error_headers_ipv6 = 2 * sizeof(Ipv6Header) + sizeof(IcmpErrorHeader);

// A stage: about what an IPv4 server got; back to the IPv6 client of the request work.claim, from the virtual address.
template <Platform P>
PEN_INLINE Next tell_client_as_ipv6(P& p, Work& work) {
  if (!is_icmp_intact(p, work, outer_ends(p, work.packet))) return drop(p, Reason::icmp_checksum);
  if (work.packet.ttl <= 1) return drop(p, Reason::icmp_ttl_exceeded);
  const Flow request = find_peer(p, work.claim);
  if (!request.found.record) return drop(p, Reason::superseded);
  const Way way = __builtin_bit_cast(Way, request.detail);
  const Interface* egress = p.interface(way.interface);
  if (!egress || !egress->known) return drop(p, Reason::next_hop_unresolved);
  const IcmpWords words = words_of(p, work.packet);
  QuotedPacket quoted{};
  if (!words.exist || !read_quoted(p, work, icmpv6_error_max - error_headers_ipv6, quoted))
    return drop(p, Reason::icmp_untranslatable);
  const FlowKey key = key_of(request);
  const Ends outer{.source = key.vip, .destination = key.client, .source_port = {}, .destination_port = {}};
  count_out(p, work.packet, request.server);
  if (!begin_error<sizeof(Ipv6Header)>(p, work, quoted)) return drop(p, Reason::no_room);
  if (!write_error<sizeof(Ipv6Header)>(p, work, quoted, {outer, ends_of(key)}, words)) return drop(p, Reason::bug);
  return send_back(p, work, way, *egress, work.tag.control);
}

// A stage: about what an IPv6 client got; on to the IPv4 server of work.route.
template <Platform P>
PEN_INLINE Next tell_server_as_ipv4(P& p, Work& work) {
  if (!is_icmp_intact(p, work, outer_ends(p, work.packet))) return drop(p, Reason::icmp_checksum);
  const RealServer* server = p.server(work.route.server);
  const NextHop* hop = p.next_hop(work.route.next_hop);
  if (!server || !hop) return drop(p, Reason::bug);
  count_in(p, work.packet, work.route.server);
  if (hop->state == NextHopState::local) return pass(p, Reason::pass_local);
  if (work.packet.ttl <= 1) return drop(p, Reason::icmp_ttl_exceeded);
  if (hop->state != NextHopState::resolved) return drop(p, Reason::next_hop_unresolved);
  const IcmpWords words = words_of(p, work.packet);
  QuotedPacket quoted{};
  if (!words.exist || !read_quoted(p, work, icmpv4_error_max - error_headers_ipv4, quoted))
    return drop(p, Reason::icmp_untranslatable);
  const Ends request = fullnat_ends(p, work, *server);  // the quoted packet went the other way
  const Ends reply{.source = request.destination,
                   .destination = request.source,
                   .source_port = request.destination_port,
                   .destination_port = request.source_port};
  const Ends outer{
      .source = request.source, .destination = request.destination, .source_port = {}, .destination_port = {}};
  if (!begin_error<sizeof(Ipv4Header)>(p, work, quoted)) return drop(p, Reason::no_room);
  if (!write_error<sizeof(Ipv4Header)>(p, work, quoted, {outer, reply}, words)) return drop(p, Reason::bug);
  return send_by(p, work, hop);
}

}  // namespace penstock
