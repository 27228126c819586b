// A packet of no connection: it begins one, or goes to the kernel, or back as an error (IPVS: ip_vs_schedule).
#pragma once

#include "datapath/core/bind.hpp"
#include "datapath/core/forward_direct.hpp"
#include "datapath/core/persistence.hpp"
#include "datapath/core/until.hpp"

namespace penstock {

template <Platform P>
PEN_INLINE Next forward_by(P& p, Work& work, Method method) {
  count_in(p, work.packet, work.route.server);
  switch (method) {
    case Method::direct:
      return forward_direct(p, work, work.route.server, work.route.next_hop);
    case Method::nat:
      return Next::then_forward_nat;
    case Method::tunnel:
      return Next::then_forward_tunnel;
    case Method::fullnat:
      return Next::then_forward_fullnat;
    case Method::local:
      return pass(p, Reason::pass_local);
    case Method::bypass:
      return pass(p, Reason::pass_bypass);
  }
  return drop(p, Reason::bug);
}

// A stage: the packet in hand goes along work.route. IPVS counts it first.
template <Platform P>
PEN_INLINE Next forward(P& p, Work& work) {
  if (work.packet.is_icmp) return Next::then_tell_server;
  return forward_by(p, work, method_of(work.route.traits));
}

// Where the packet in hand comes from, on the link.
template <Platform P>
PEN_INLINE Way way_of(P& p) {
  Way way{};
  const auto* ethernet = header_at<EthernetHeader>(p, 0);
  if (ethernet) __builtin_memcpy(way.address, ethernet->source, 6);
  way.interface = static_cast<u16>(p.ingress_index());
  return way;
}

// The kernel drops what has a wrong header checksum before IPVS sees it. Asked of new connections only: for known ones the real
// server's kernel does it.
template <Platform P>
PEN_INLINE bool is_intact(const P& p, const Packet& packet) {
  return packet.key.family == Family::ipv6 || is_ipv4_header_intact(p);
}

// IPVS, drop_packet: every so many-th packet, the first among them.
template <Platform P>
PEN_INLINE bool is_shed(P& p) {
  const Settings* settings = p.settings();
  const u32 rate = settings ? load_acquire(&settings->drop_rate) : 0;
  if (rate == 0) return false;
  SharedState* shared = p.shared();
  return shared && fetch_add(&shared->would_begin, 1) % rate == 0;
}

// IPVS: cache_bypass works for marks only, and for destinations that aren't the director's.
template <Platform P>
PEN_INLINE bool is_bypassed(P& p, Work& work) {
  const Settings* settings = p.settings();
  if (!settings || load_acquire(&settings->cache_bypass) == 0 || work.offer.mark == 0) return false;
  return !is_own_address(p, work, work.packet.key.vip);
}

// IPVS: what an ICMP error begins (schedule_icmp) has no state yet, and so the timeout of a new entry.
static constexpr u32 icmp_seconds = 3;

static constexpr u32 listening = static_cast<u32>(TcpState::listen);

// The connection that work.packet begins, with a server or bypassing all.
template <Platform P>
PEN_INLINE void prepare_connection(P& p, Work& work, u32 server, u16 generation, u8 traits) {
  const Settings* settings = p.settings();
  prepare_insertion(work.insertion, work.packet.key, work.packet.hash, server, generation);
  if (!settings) return;
  const Standing standing =
      work.packet.is_icmp
          ? Standing{0, icmp_seconds * settings->ticks_per_second}
          : next_standing(*settings, work.packet, work.is_expected ? listening : 0, direction_of(method_of(traits)));
  work.insertion.state = standing.state;
  work.insertion.timeout = standing.timeout;
  work.insertion.content.traits = traits;
  work.insertion.content.detail = __builtin_bit_cast(u64, way_of(p));
}

PEN_INLINE void take_route(Work& work, const Flow& flow, const ServerRoute& route) {
  work.route = {.server = flow.server,
                .next_hop = route.next_hop,
                .record = record_number(flow.found),
                .traits = static_cast<u8>(flow.traits & ~trait_announces),  // to a route it means trait_replies
                .local_address = flow.local_address,
                .local_port = flow.local_port};
}

// How many ports are tried for one connection: with nine of ten taken all of them fail once in a million times.
static constexpr u32 local_port_attempts = 128;

// A stage.
template <Platform P>
PEN_INLINE Next claim_port(P& p, Work& work) {
  prepare_connection(p, work, work.route.server, 0, work.route.traits);
  work.choice.start = p.now();
  PEN_ROLLED
  for (u32 i = 0; i < local_port_attempts; ++i) {
    work.choice.count = i;
    if (p.run_try_port(work) != 0) return Next::then_connect;
  }
  return drop(p, Reason::local_ports_exhausted);
}

// What a route is made of when no record is kept.
PEN_INLINE void take_route_only(Work& work, u32 server, const ServerRoute& route, u8 traits) {
  work.route = {.server = server,
                .next_hop = route.next_hop,
                .record = no_record,
                .traits = static_cast<u8>(static_cast<u8>(route.method) | traits),
                .local_address = 0,
                .local_port = {}};
}

// A stage: what fits without a record when no slot is free. Direct and tunnel servers need no state; the flow's hash chooses, and
// the packets that follow choose the same.
template <Platform P>
PEN_INLINE Next go_stateless(P& p, Work& work) {
  Choice& choice = work.choice;
  choice.schedule = work.offer.schedule;
  if (choice.schedule.size == 0) return drop(p, Reason::connection_table_full);
  choice.head = {};
  choice.count = choice.schedule.size;
  choice.start = static_cast<u32>(work.packet.hash >> 32) % choice.schedule.size;
  const u32 slot = scan_for(p, work, ScanFor::eligible);
  const RealServer* server = slot == no_slot ? nullptr : p.server(slot);
  if (!server) return drop(p, Reason::connection_table_full);
  const ServerRoute route = route_of(server);
  if (is_translating(route.method)) return drop(p, Reason::connection_table_full);
  count(p, Reason::stateless);
  take_route_only(work, slot, route, 0);
  return Next::then_forward;
}

// For how long after an insertion failed packets of no connection may belong to one without a record.
static constexpr u32 full_seconds = 120;

template <Platform P>
PEN_INLINE void note_full(P& p) {
  SharedState* shared = p.shared();
  const Settings* settings = p.settings();
  if (shared && settings) hold_until(&shared->full_until, p.now() + full_seconds * settings->ticks_per_second);
}

template <Platform P>
PEN_INLINE bool was_full(P& p) {
  const SharedState* shared = p.shared();
  return shared && holds(load_acquire(&shared->full_until), p.now());
}

// A stage: the record of work.packet's connection to the server of work.route, or of another CPU's choice, if that was faster.
template <Platform P>
PEN_INLINE Next connect(P& p, Work& work) {
  const u32 slot = work.route.server;
  const RealServer* server = p.server(slot);
  if (!server) return drop(p, Reason::bug);
  const Method method = method_of(work.route.traits);
  prepare_connection(p, work, slot, method == Method::bypass ? u16{0} : route_of(server).generation, work.route.traits);
  work.insertion.content.local_address = work.route.local_address;
  work.insertion.content.local_port = work.route.local_port;
  save(p, work);
  if (!work.insertion.saved) {
    if (method == Method::fullnat) give_up_claim(p, work.claim);
    note_full(p);
    return Next::then_go_stateless;
  }
  if (work.insertion.is_ours && !work.is_expected) count_connection(p, slot);
  const Flow made = find_peer(p, peer_of(work.insertion));
  const RealServer* stays = made.found.record ? p.server(made.server) : nullptr;
  if (!stays) {  // ended meanwhile, by a packet that begins the flow anew: this one goes along, without a record
    if (is_translating(method)) return drop(p, Reason::superseded);
    work.route.record = no_record;
    return Next::then_forward;
  }
  take_route(work, made, route_of(stays));
  if (method == Method::fullnat && !work.insertion.is_ours)
    give_up_claim(p, work.claim);  // the other CPU's has its own
  return method_of(made.traits) == Method::nat ? Next::then_bind_replies : Next::then_forward;
}

// IPVS: UDP only.
PEN_INLINE bool is_one_packet(const Work& work) {
  return (work.offer.flags & service_one_packet) && work.packet.key.protocol == protocol_udp;
}

// IPVS: of a persistent service only packets to its own port go to the server's (ip_vs_sched_persist); FTP's has others, too.
PEN_INLINE bool keeps_port(const Work& work, const RealServer& server) {
  const be16 port = work.packet.key.vip_port;
  return work.is_persistent && is_translating(method_of(work.route.traits)) && port != work.offer.port &&
         server.port != be16{} && server.port != port;
}

// The server is chosen.
template <Platform P>
PEN_INLINE Next go_to(P& p, Work& work, u32 slot) {
  const RealServer* server = p.server(slot);
  if (!server) return drop(p, Reason::bug);
  const ServerRoute route = route_of(server);
  take_route_only(work, slot, route, work.is_persistent ? trait_controlled : u8{0});
  if (route.method == Method::nat) work.route.local_port = work.packet.tag.control;
  if (keeps_port(work, *server)) {
    work.route.traits |= trait_own_port;
    work.route.local_port = work.packet.key.vip_port;
  }
  if (route.method == Method::fullnat) return Next::then_claim_port;  // one packet or many: its port must be its own
  if (!is_one_packet(work)) return Next::then_connect;
  count_connection(p, slot);
  return Next::then_forward;
}

// Of a service that was found by FTP's rule (find_service): not to its own port.
PEN_INLINE bool is_ftp_data(const Work& work) {
  return work.offer.port == ftp_port && work.packet.key.vip_port != ftp_port;
}

// No server takes the packet (IPVS: ip_vs_leave).
template <Platform P>
PEN_INLINE Next leave(P& p, Work& work) {
  if (is_bypassed(p, work)) {
    take_route_only(work, server_of_none,
                    {.next_hop = no_next_hop, .generation = 0, .method = Method::bypass, .available = 1}, 0);
    return Next::then_connect;
  }
  if (is_ftp_data(work)) return pass(p, Reason::pass_no_service);
  if (work.packet.is_icmp) return drop(p, Reason::icmp_no_destination);
  return refuse_with(p, work, IcmpError::port_unreachable, Reason::no_destination, no_slot);
}

// The schedule has said its word.
template <Platform P>
PEN_INLINE Next after_choice(P& p, Work& work) {
  if (work.is_persistent) return Next::then_forget_template;
  return work.choice.server == no_slot ? leave(p, work) : go_to(p, work, work.choice.server);
}

// A stage: a real server by the schedule, for a connection or for a template first.
template <Platform P>
PEN_INLINE Next choose(P& p, Work& work) {
  work.choice.server = choose_server(p, work);
  return work.caches ? Next::then_keep_cache : after_choice(p, work);
}

// A stage: lblc and lblcr remember where a destination went.
template <Platform P>
PEN_INLINE Next keep_cache(P& p, Work& work) {
  save(p, work);
  return after_choice(p, work);
}

// A stage: a client of a persistent service goes where it went before.
template <Platform P>
PEN_INLINE Next choose_known(P& p, Work& work) {
  const u32 slot = known_server(p, work);
  return slot == no_slot ? Next::then_choose : go_to(p, work, slot);
}

// A stage: a template that can't be used makes way, even for none.
template <Platform P>
PEN_INLINE Next forget_template(P& p, Work& work) {
  forget_client(p, work);
  return work.choice.server == no_slot ? leave(p, work) : Next::then_keep_template;
}

// A stage.
template <Platform P>
PEN_INLINE Next keep_template(P& p, Work& work) {
  remember_client(p, work, work.choice.server);
  return go_to(p, work, work.choice.server);
}

// A stage: a packet of no connection begins one, or not.
template <Platform P>
PEN_INLINE Next begin(P& p, Work& work) {
  const Packet& packet = work.packet;
  if (!find_service(p, work)) return pass(p, packet.is_icmp ? Reason::pass_icmp : Reason::pass_no_service);
  if (!has_unicast_source(packet.key) || !is_intact(p, packet)) return pass(p, Reason::pass_malformed);
  if (!packet.is_icmp && !may_begin_connection(p, packet))
    return was_full(p) ? Next::then_go_stateless : pass(p, Reason::pass_no_connection);
  if (is_own_address(p, work, packet.key.client))
    return pass(p, Reason::pass_malformed);  // the kernel calls it martian
  work.is_persistent = (work.offer.flags & service_persistent) != 0;
  // IPVS (ip_vs_schedule, ip_vs_leave): without persistence FTP's data goes where it was announced, or nowhere.
  if (is_ftp_data(work) && !work.is_persistent) return pass(p, Reason::pass_no_service);
  if (is_shed(p)) return drop(p, Reason::drop_packet);
  return work.is_persistent ? Next::then_choose_known : Next::then_choose;
}

}  // namespace penstock
