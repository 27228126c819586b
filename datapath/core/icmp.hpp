// ICMP errors about our connections (IPVS: ip_vs_in_icmp, ip_vs_out_icmp). They quote the packet that they are about, and the
// quote says whose they are:
//   from the client's side   about what a client got: on to the real server
//   from the server's side   nat, fullnat: about what a server got; back to the client, from the virtual address
//   about a tunnel's packet  to the director itself: the packet inside is the client's, and the client is told
#pragma once

#include "datapath/core/forward_nat.hpp"
#include "datapath/core/forward_tunnel.hpp"
#include "datapath/core/known.hpp"

namespace penstock {

// Not from a server: the next kind is tried.
static constexpr Next not_ours = Next::aborted;

static constexpr u8 icmp_unreachable = 3;
static constexpr u8 icmp_fragmentation_needed = 4;  // code
static constexpr u8 icmp_source_quench = 4;
static constexpr u8 icmp_time_exceeded = 11;
static constexpr u8 icmpv6_too_big = 2;
static constexpr u8 icmpv6_informational = 128;  // from here on

// IPVS relays these; redirects and parameter problems of IPv4 it doesn't.
PEN_INLINE bool is_relayed(Family family, u8 type) {
  if (family == Family::ipv6) return type < icmpv6_informational;
  return type == icmp_unreachable || type == icmp_source_quench || type == icmp_time_exceeded;
}

// Offsets in a quote are offsets of transport headers, too: multiples of four behind Ethernet's fourteen bytes.
PEN_INLINE u32 within_quote(u32 offset) { return (offset & transport_mask) | transport_remainder; }

PEN_INLINE u32 quote_offset(const Packet& packet) {
  return within_quote(packet.transport + static_cast<u32>(sizeof(IcmpErrorHeader)));
}

// The quoted packet at `offset`, into `quote`: addresses, protocol, where its transport header stands. Its lengths may say more
// than is quoted.
template <Platform P>
PEN_INLINE bool parse_quote(const P& p, u32 offset, Family family, Packet& quote) {
  quote = {};
  quote.key.family = family;
  if (family == Family::ipv6) {
    const auto* ip = header_at<Ipv6Header>(p, offset);
    if (!ip || ip->version_class_label[0] >> 4 != 6) return false;
    quote.key.client = address_of(ip->source);
    quote.key.vip = address_of(ip->destination);
    quote.protocol = ip->next_header;
    quote.transport = static_cast<u16>(offset + sizeof(Ipv6Header));
  } else {
    const auto* ip = header_at<Ipv4Header>(p, offset);
    if (!ip || ip->version_and_words >> 4 != 4) return false;
    quote.key.client.low = ip->source;
    quote.key.vip.low = ip->destination;
    quote.protocol = ip->protocol;
    quote.tos = ip->tos;
    quote.transport = static_cast<u16>(offset + (ip->version_and_words & 0x0fU) * 4);
    quote.dont_fragment = (static_cast<u16>(ip->fragment) & static_cast<u16>(ipv4_dont_fragment)) != 0;
    if (host(ip->fragment) & ipv4_fragment_offset) return false;  // no ports
  }
  quote.key.protocol = quote.protocol;
  return true;
}

// Two ports are enough.
template <Platform P>
PEN_INLINE bool parse_quoted_ports(const P& p, Packet& quote) {
  const u8 protocol = quote.protocol;
  if (protocol == protocol_ah || protocol == protocol_esp) return parse_ipsec(quote).ok;
  if (protocol != protocol_tcp && protocol != protocol_udp && protocol != protocol_sctp) return false;
  const auto* ports = transport_header<PortsHeader>(p, quote);
  if (!ports) return false;
  quote.key.client_port = ports->source;
  quote.key.vip_port = ports->destination;
  return true;
}

PEN_INLINE FlowKey turned(const FlowKey& key, Role role) {
  FlowKey turned = key_from_server(key);
  turned.role = role;
  return turned;
}

template <Platform P>
PEN_INLINE u32 icmp_length(const Packet& packet) {
  return network_offset + packet.ip_length - packet.transport;
}

template <Platform P>
PEN_INLINE u64 sum_of_icmp(P& p, Work& work, const AddressImage& source, const AddressImage& destination) {
  const Packet& packet = work.packet;
  const u32 length = icmp_length<P>(packet);
  const u64 sum = sum_of(p, work, packet.transport, length);
  return packet.key.family == Family::ipv4 ? sum
                                           : sum + sum_of_pseudo_header(source, destination, protocol_icmpv6, length);
}

template <Platform P>
PEN_INLINE bool is_icmp_intact(P& p, Work& work, const Ends& outer) {
  return fold(sum_of_icmp(p, work, outer.source, outer.destination)) == 0xffff;
}

// Gives the error and the packet that it quotes other ends.
template <Platform P>
PEN_INLINE bool write_icmp_ends(P& p, Work& work, const Ends& from, const Ends& to, const Ends& quoted) {
  const Packet& packet = work.packet;
  const Packet& quote = work.quote;
  const Family family = packet.key.family;
  const u64 change = change_of_addresses(family, from, to);
  const u64 change_of_quote = change_of_addresses(family, ends_of(quote.key), quoted);
  if (!write_addresses(p, network_offset, family, to, change)) return false;
  if (!write_addresses(p, quote_offset(packet), family, quoted, change_of_quote)) return false;
  if (!quote.is_portless) {
    auto* ports = transport_header<PortsHeader>(p, quote);
    if (!ports) return false;
    ports->source = quoted.source_port;
    ports->destination = quoted.destination_port;
  }
  auto* icmp = transport_header<IcmpErrorHeader>(p, packet);
  if (!icmp) return false;
  icmp->checksum = 0;
  const u64 sum = sum_of_icmp(p, work, to.source, to.destination);
  icmp = transport_header<IcmpErrorHeader>(p, packet);
  if (!icmp) return false;
  icmp->checksum = static_cast<u16>(~fold(sum));
  return true;
}

// Back to the client of `request`. The quote is of a packet that a real server got.
template <Platform P>
PEN_INLINE Next tell_client_of(P& p, Work& work, const Flow& request, be16 vlan, const Ends& outer) {
  if (changes_family(work, request, vlan)) return Next::then_tell_client_as_ipv6;
  if (!is_icmp_intact(p, work, outer)) return drop(p, Reason::icmp_checksum);
  if (work.packet.ttl <= 1) return drop(p, Reason::icmp_ttl_exceeded);
  const FlowKey key = key_of(request);
  const Way way = __builtin_bit_cast(Way, request.detail);
  const Interface* egress = p.interface(way.interface);
  if (!egress || !egress->known) return drop(p, Reason::next_hop_unresolved);
  const Ends to{.source = key.vip, .destination = key.client, .source_port = {}, .destination_port = {}};
  if (!decrement_ttl(p, work.packet)) return drop(p, Reason::bug);
  if (!write_icmp_ends(p, work, outer, to, ends_of(key))) return drop(p, Reason::bug);
  count_out(p, work.packet, request.server);
  return send_back(p, work, way, *egress, vlan);
}

PEN_INLINE Ends ends_of_addresses(const FlowKey& key) {
  return {.source = key.client, .destination = key.vip, .source_port = {}, .destination_port = {}};
}

// The error's own ends: those of the packet in hand, whose key is that of the connection it is about.
template <Platform P>
PEN_INLINE Ends outer_ends(const P& p, const Packet& packet) {
  Ends ends{};
  if (packet.key.family == Family::ipv4) {
    if (const auto* ip = header_at<Ipv4Header>(p, network_offset)) {
      ends.source.low = ip->source;
      ends.destination.low = ip->destination;
    }
  } else if (const auto* ip = header_at<Ipv6Header>(p, network_offset)) {
    ends.source = address_of(ip->source);
    ends.destination = address_of(ip->destination);
  }
  return ends;
}

// A stage: on to the real server of work.route, whose reply the client's side complains about.
template <Platform P>
PEN_INLINE Next tell_server(P& p, Work& work) {
  const Packet& packet = work.packet;
  const Ends outer = outer_ends(p, packet);
  if (packet.key.family == Family::ipv4 && !is_icmp_intact(p, work, outer)) return drop(p, Reason::icmp_checksum);
  const Method method = method_of(work.route.traits);
  if (!is_translating(method)) return forward_by(p, work, method);
  const RealServer* server = p.server(work.route.server);
  const NextHop* hop = p.next_hop(work.route.next_hop);
  if (!server || !hop) return drop(p, Reason::bug);
  if (server->family != packet.key.family) return Next::then_tell_server_as_ipv4;
  count_in(p, packet, work.route.server);
  if (hop->state == NextHopState::local) return pass(p, Reason::pass_local);
  if (packet.ttl <= 1) return drop(p, Reason::icmp_ttl_exceeded);
  if (hop->state != NextHopState::resolved) return drop(p, Reason::next_hop_unresolved);
  const Ends request = ends_to(packet.key, work.route, *server);
  Ends quoted{.source = request.destination,
              .destination = work.quote.key.vip,
              .source_port = request.destination_port,
              .destination_port = work.quote.key.vip_port};
  Ends to{.source = outer.source, .destination = server->address, .source_port = {}, .destination_port = {}};
  const LocalPool* pool = p.local_pool();
  if (method == Method::fullnat && pool) {
    quoted.destination = pool->addresses[work.route.local_address];
    quoted.destination_port = work.route.local_port;
    to.source = quoted.destination;
  }
  if (!decrement_ttl(p, packet)) return drop(p, Reason::bug);
  if (!write_icmp_ends(p, work, outer, to, quoted)) return drop(p, Reason::bug);
  return send_by(p, work, hop);
}

// A router's word about the way to a tunnel's server holds for so long (IPVS: the kernel's mtu_expires).
static constexpr u32 path_mtu_seconds = 600;
static constexpr u32 path_mtu_min = 68;

template <Platform P>
PEN_INLINE void learn_path_mtu(P& p, u32 slot, u32 mtu) {
  ServerLoad* load = p.load(slot);
  const Settings* settings = p.settings();
  if (!load || !settings || mtu < path_mtu_min) return;
  store_release(&load->path_mtu_expires, p.now() + path_mtu_seconds * settings->ticks_per_second);
  store_release(&load->path_mtu, mtu);
}

// What stands between the quoted outer header and the packet inside, and of which family that is.
struct QuotedTunnel {
  bool is_ours;  // one of the tunnels that we make
  u32 shim;
  Family family;
};

PEN_INLINE Family family_within(u8 protocol) { return protocol == protocol_ipip ? Family::ipv4 : Family::ipv6; }

template <Platform P>
PEN_INLINE QuotedTunnel quoted_tunnel(const P& p, const Packet& quote) {
  if (quote.protocol == protocol_ipip || quote.protocol == protocol_ipv6)
    return {true, 0, family_within(quote.protocol)};
  if (quote.protocol == protocol_gre) {
    const auto* gre = transport_header<GreHeader>(p, quote);
    if (!gre) return {};
    const u32 shim = gre_bytes + (gre->flags == gre_with_checksum ? gre_checksum_bytes : 0);
    return {true, shim, gre->protocol == ethertype_ipv4 ? Family::ipv4 : Family::ipv6};
  }
  if (quote.protocol != protocol_udp) return {};
  const auto* gue = header_at<u32>(p, within_quote(quote.transport + static_cast<u32>(sizeof(UdpHeader))));
  if (!gue) return {};
  return {true, gue_shim_bytes, family_within(static_cast<u8>(*gue >> 8))};
}

PEN_INLINE u32 ip_header_bytes(Family family) {
  return family == Family::ipv4 ? sizeof(Ipv4Header) : sizeof(Ipv6Header);
}

PEN_INLINE TunnelError tunnel_error(const IcmpErrorHeader& icmp, const Packet& quote, const QuotedTunnel& tunnel) {
  const bool v4 = quote.key.family == Family::ipv4;
  const u32 word = host(icmp.rest);
  const bool v4_length = icmp.type == icmp_unreachable && icmp.code == icmp_fragmentation_needed;
  return {.tunnel_end = quote.key.vip,
          .offset = within_quote(quote.transport + tunnel.shim),
          .overhead = ip_header_bytes(quote.key.family) + tunnel.shim,
          .word = word,
          .mtu = v4 ? (v4_length ? word & 0xffff : 0) : (icmp.type == icmpv6_too_big ? word : 0),
          .type = icmp.type,
          .code = icmp.code,
          .may_fragment = v4 && !quote.dont_fragment,
          .zero = 0};
}

// A stage: whether the error in hand is about the packet of a tunnel, which is work.quote. If so, the packet that is carried in
// it becomes work.quote. IPVS does this for IPv4 only; without it an IPv6 tunnel over a narrow link is a black hole.
template <Platform P>
PEN_INLINE Next take_tunnel_error(P& p, Work& work) {
  const auto* icmp = transport_header<IcmpErrorHeader>(p, work.packet);
  const QuotedTunnel tunnel = quoted_tunnel(p, work.quote);
  if (!icmp || !tunnel.is_ours) return Next::then_take_client_error;
  work.tunnel_error = tunnel_error(*icmp, work.quote, tunnel);
  Packet& carried = work.quote;
  const bool has_ports =
      parse_quote(p, work.tunnel_error.offset, tunnel.family, carried) && parse_quoted_ports(p, carried);
  return has_ports ? Next::then_tell_tunnel_client : Next::then_take_client_error;
}

// Leaves of the frame nothing but the packet at `offset`, as if the client's neighbour had just sent it.
template <Platform P>
PEN_INLINE bool uncover(P& p, u32 offset, Family family, const Way& way, const Interface& client_side) {
  if (!p.shrink_head(offset - network_offset)) return false;
  auto* ethernet = header_at<EthernetHeader>(p, 0);
  if (!ethernet) return false;
  __builtin_memcpy(ethernet->source, way.address, 6);
  __builtin_memcpy(ethernet->destination, client_side.address, 6);
  ethernet->type = family == Family::ipv4 ? ethertype_ipv4 : ethertype_ipv6;
  return true;
}

static constexpr u32 quoted_transport_min = 8;

// How much of a carried packet must be quoted to tell its client. The kernel makes no socket buffer shorter than the IP header that it
// came with (TC).
PEN_INLINE u32 quoted_min(Family carried, Family outer) {
  const u32 told = ip_header_bytes(carried) + quoted_transport_min;
  const u32 kept = ip_header_bytes(outer);
  return told > kept ? told : kept;
}

// What a client is told of an error about the tunnel that its packet went into.
PEN_INLINE Refusal refusal_of(const TunnelError& error, u32 server, u16 interface) {
  const bool about_length = error.mtu != 0;
  const u32 fitting = error.mtu > path_mtu_min + error.overhead ? error.mtu - error.overhead : error.mtu;
  return {.mtu = about_length ? fitting : error.word,
          .server = server,
          .error = about_length ? IcmpError::too_big : IcmpError::relayed,
          .type = error.type,
          .code = error.code,
          .from_director = false,
          .interface = interface};
}

// A stage: work.tunnel_error, for the client whose packet is work.quote.
template <Platform P>
PEN_INLINE Next tell_tunnel_client(P& p, Work& work) {
  const TunnelError& error = work.tunnel_error;
  const Packet& carried = work.quote;
  const Family outer_family = work.packet.key.family;
  const Flow request = find_flow(p, carried.key, Guess::present);
  const RealServer* server = request.found.record ? p.server(request.server) : nullptr;
  if (!server || method_of(request.traits) != Method::tunnel || server->family != outer_family)
    return Next::then_take_client_error;
  if (server->address.low != error.tunnel_end.low || server->address.high != error.tunnel_end.high)
    return Next::then_take_client_error;
  const Way way = __builtin_bit_cast(Way, request.detail);
  const Interface* client_side = p.interface(way.interface);
  if (!is_icmp_intact(p, work, outer_ends(p, work.packet))) return drop(p, Reason::icmp_checksum);
  if (error.mtu != 0) learn_path_mtu(p, request.server, error.mtu);
  const bool can_be_told = error.mtu != 0 ? !error.may_fragment : carried.key.family == outer_family;
  if (!can_be_told || !client_side) return drop(p, Reason::icmp_taken);
  const u32 offset = within_quote(error.offset);
  const u32 end = network_offset + work.packet.ip_length;
  if (offset + quoted_min(carried.key.family, outer_family) > end) return Next::then_take_client_error;
  count_error_out(p, end - offset, request.server);  // IPVS counts the packet inside as well as the error
  if (!uncover(p, offset, carried.key.family, way, *client_side)) return drop(p, Reason::no_room);
  work.packet = carried;
  work.packet.ip_length = end - offset;
  work.refusal = refusal_of(error, request.server, way.interface);
  return Next::then_refuse;
}

// About a packet that a direct or tunnel server got, on its way past us: IPVS counts it.
template <Platform P>
PEN_INLINE void count_passing_error(P& p, Work& work, const Ends& outer) {
  const Flow request = find_flow(p, work.quote.key, Guess::absent);
  if (!request.found.record || is_translating(method_of(request.traits))) return;
  if (is_icmp_intact(p, work, outer)) count_out(p, work.packet, request.server);
}

template <Platform P>
PEN_INLINE Next take_error_from_server(P& p, Work& work, const Ends& outer) {
  const Flow found = find_answered(p, work, work.quote.key);
  return found.found.record ? tell_client_of(p, work, found, client_tag(found, is_reply(found)), outer) : not_ours;
}

// A stage: about what a client got.
template <Platform P>
PEN_INLINE Next take_client_error(P& p, Work& work) {
  Packet& quote = work.quote;
  const bool has_ports =
      parse_quote(p, quote_offset(work.packet), work.packet.key.family, quote) && parse_quoted_ports(p, quote);
  if (!has_ports) return pass(p, Reason::pass_icmp);
  if (!gate_of(p, work.packet.key).to_us) {
    count_passing_error(p, work, outer_ends(p, work.packet));
    return pass(p, Reason::pass_icmp);
  }
  const Settings* settings = p.settings();
  work.packet.key = turned(quote.key, Role::request);
  work.packet.hash = hash_of(p.config().hash_key, work.packet.key);
  const Flow request = find_flow(p, work.packet.key, work.packet.hash, Guess::present);
  const RealServer* server = request.found.record ? p.server(request.server) : nullptr;
  if (server) {
    take_route(work, request, route_of(server));
    return Next::then_tell_server;
  }
  if (!settings || load_acquire(&settings->schedule_icmp) == 0) return pass(p, Reason::pass_icmp);
  return Next::then_begin;
}

// A stage: about what a real server got; or one of the others.
template <Platform P>
PEN_INLINE Next take_icmp(P& p, Work& work) {
  Packet& packet = work.packet;
  const Settings* settings = p.settings();
  const auto* icmp = transport_header<IcmpErrorHeader>(p, packet);
  if (!settings || !icmp || is_fragment(packet) || !is_relayed(packet.key.family, icmp->type))
    return pass(p, Reason::pass_icmp);
  packet.is_icmp = true;
  Packet& quote = work.quote;
  if (!parse_quote(p, quote_offset(packet), packet.key.family, quote)) return pass(p, Reason::pass_icmp);
  const bool has_ports = parse_quoted_ports(p, quote);
  if (has_ports && load_acquire(&settings->translating_servers) != 0) {
    quote.key.role = Role::reply;
    const Next told = take_error_from_server(p, work, ends_of_addresses(packet.key));
    quote.key.role = Role::request;
    if (told != not_ours) return told;
  }
  return load_acquire(&settings->tunnel_servers) != 0 ? Next::then_take_tunnel_error : Next::then_take_client_error;
}

}  // namespace penstock
