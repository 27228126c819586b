// What few packets are: fragments, and IPv6 packets with extension headers. Fragments are not put together: the first one has the
// ports and leaves a record of where it went, the others follow it; one that comes before it waits with the daemon.
#pragma once

#include "datapath/core/known.hpp"

namespace penstock {

struct Ipv6Extension {
  u8 next_header;
  u8 length;  // in units of 8 bytes, less one
};

// More than these in a row are left to the kernel.
static constexpr u32 ipv6_extensions_max = 6;

// Hop-by-hop options, routing and destination options stand between the header and what is balanced (RFC 8200 §4.1).
PEN_INLINE bool is_ipv6_extension(u8 next_header) {
  return next_header == 0 || next_header == 43 || next_header == 60 || next_header == protocol_ipv6_fragment;
}
PEN_INLINE bool has_extensions(const Packet& packet) {
  return packet.key.family == Family::ipv6 && is_ipv6_extension(packet.protocol);
}

PEN_INLINE void note_fragment(Packet& packet, const Ipv6Fragment& fragment) {
  const u16 offset = host(fragment.offset);
  packet.fragment_id = fragment.id;
  packet.fragment_offset = fragment.offset;
  packet.is_later_fragment = offset >> 3 != 0;
  packet.is_first_fragment = !packet.is_later_fragment && (offset & 1) != 0;
  packet.dont_fragment = !is_fragment(packet);
}

template <Platform P>
PEN_INLINE Parsed skip_extensions(const P& p, Packet& packet) {
  PEN_ROLLED
  for (u32 i = 0; i < ipv6_extensions_max && is_ipv6_extension(packet.protocol); ++i) {
    const bool fragments = packet.protocol == protocol_ipv6_fragment;
    const auto* extension = transport_header<Ipv6Extension>(p, packet);
    if (!extension) return unfit(Reason::pass_malformed);
    u32 length = (extension->length + 1U) * 8;
    packet.protocol = extension->next_header;
    if (fragments) {
      const auto* fragment = transport_header<Ipv6Fragment>(p, packet);
      if (!fragment) return unfit(Reason::pass_malformed);
      note_fragment(packet, *fragment);
      length = sizeof(Ipv6Fragment);
    }
    packet.transport = static_cast<u16>(packet.transport + length);
    if (packet.is_later_fragment) break;  // what follows is payload
  }
  packet.key.protocol = packet.protocol;
  return parsed;
}

PEN_INLINE FlowKey fragment_key(const Packet& packet) {
  return {.client = packet.key.client,
          .vip = packet.key.vip,
          .client_port = static_cast<be16>(packet.fragment_id & 0xffff),
          .vip_port = static_cast<be16>(packet.fragment_id >> 16),
          .protocol = packet.key.family == Family::ipv4 ? packet.protocol : u8{0},  // RFC 8200 §4.5: not part of it
          .family = packet.key.family,
          .role = Role::fragment};
}

// IPVS: net.ipv4.ipfrag_time.
static constexpr u32 fragment_seconds = 30;

// A helper: the datagram's later fragments go where its first one went: with work.route's connection, or to the kernel.
template <Platform P>
PEN_INLINE u32 remember_fragments(P& p, Work& work) {
  const bool passed = work.verdict == static_cast<u32>(Next::pass);
  const Settings* settings = p.settings();
  const u32 slot = passed ? server_of_none : work.route.server;
  const RealServer* server = p.server(slot);
  if (!settings || !server || (slot == server_of_none && !passed)) return 0;
  const bool is_recorded = !passed && work.route.record != no_record;
  if (!passed && !is_recorded && is_translating(method_of(work.route.traits))) return 0;  // it began nothing
  const Found<Connection> named = is_recorded ? record_at(p, work.route.record) : Found<Connection>{};
  prepare_insertion(work.insertion, work.fragment, hash_of(p.config().hash_key, work.fragment), slot,
                    route_of(server).generation);
  work.insertion.timeout = fragment_seconds * settings->ticks_per_second;
  work.insertion.content.traits = passed ? static_cast<u8>(Method::bypass) : work.route.traits;
  work.insertion.content.local_port = work.tag.control;
  work.insertion.content.detail =
      named.record ? __builtin_bit_cast(u64, Peer{work.route.record, owner_of(named.word)}) : 0;
  save(p, work);
  return 0;
}

template <Platform P>
PEN_INLINE Next take_later_fragment(P& p, Work& work) {
  const Flow fragment = find_flow(p, fragment_key(work.packet), Guess::present);
  if (!fragment.found.record) return hand_over(work, Punt::early_fragment);
  if (method_of(fragment.traits) == Method::bypass) return pass(p, Reason::pass_no_connection);
  const bool is_recorded = fragment.detail != 0;  // one-packet scheduling and a full table keep no record
  const Flow named = is_recorded ? find_peer(p, __builtin_bit_cast(Peer, fragment.detail)) : fragment;
  const RealServer* server = named.found.record ? p.server(named.server) : nullptr;
  if (!server) return drop(p, Reason::server_removed);
  if (fragment.traits & trait_replies) return translate_reply(p, work, named, fragment.local_port);
  const ServerRoute route = route_of(server);
  if (!is_alive(named, route)) return drop(p, Reason::server_removed);
  take_route(work, named, route);
  return forward_by(p, work, method_of(named.traits));
}

// A stage.
template <Platform P>
PEN_INLINE Next take_unusual(P& p, Work& work) {
  Packet& packet = work.packet;
  if (packet.key.family == Family::ipv6) {
    const Parsed skipped = skip_extensions(p, packet);
    if (!skipped.ok) return pass(p, skipped.reason);
  }
  const Gate gate = gate_of(p, packet.key);
  work.to_us = gate.to_us;
  if (packet.is_later_fragment) return take_later_fragment(p, work);
  if (packet.is_first_fragment) {
    work.after.remembers = true;
    work.fragment = fragment_key(packet);
    work.route.record = no_record;
    work.route.server = server_of_none;
    packet.is_repeated = find_flow(p, work.fragment, Guess::absent).found.record != nullptr;
  }
  if (is_icmp(packet)) return Next::then_take_icmp;
  const Parsed transport = parse_transport(p, packet);
  if (!transport.ok) return pass(p, transport.reason);
  if (gate.from_server) return Next::then_take_reply;
  packet.hash = hash_of(p.config().hash_key, packet.key);
  return Next::then_take_request;
}

}  // namespace penstock
