// How the replies to a new connection will find it: nat's in its place or by a record of their own, fullnat's by the record that claims
// its local port (ADR-0014).
#pragma once

#include "datapath/core/answered.hpp"
#include "datapath/core/insert.hpp"

namespace penstock {

// work.insertion, a request or its reply's record, becomes the reply's record of work.packet's connection, which goes along work.route.
// It is found by work.wanted.
template <Platform P>
PEN_INLINE void prepare_reply(P& p, Work& work) {
  const Packet& packet = work.packet;
  const u64 hash = hash_of(p.config().hash_key, work.wanted);
  Insertion& insertion = work.insertion;
  const u32 timeout = insertion.timeout;
  const u64 way = insertion.content.detail;
  prepare_insertion(insertion, packet.key, hash, work.route.server, static_cast<u16>(packet.tag.control));
  insertion.timeout = timeout;
  insertion.content.key.role = Role::reply;
  insertion.content.traits = work.route.traits;
  insertion.content.local_address = work.route.local_address;
  insertion.content.local_port = work.route.local_port;
  insertion.content.detail = way;
}

// A helper: tries one local address and port, by chance and the number of the attempt. The reply's record is the claim, so that
// two connections to one server can't have the same. 1: work.route has it.
template <Platform P>
PEN_INLINE u32 try_port(P& p, Work& work) {
  const RealServer* server = p.server(work.route.server);
  const LocalPool* pool = p.local_pool();
  if (!server || !pool) return 0;
  const u32 family = server->family == Family::ipv6;
  const u32 count = load_acquire(&pool->count[family]);
  if (count == 0) return 0;
  const u64 chance = spread(work.packet.hash + work.choice.start + work.choice.count * 0x9e3779b97f4a7c15ULL);
  const u8 index = pool->order[family][static_cast<u32>(chance) % count % local_addresses_max];
  const u32 port = local_port_first + static_cast<u32>(chance >> 32) % local_ports;
  work.wanted = reply_key(work.route, work.packet.key, *server, pool->addresses[index], big(static_cast<u16>(port)));
  if (p.run_seek_reply(work) != 0) return 0;
  work.route.local_address = index;
  work.route.local_port = big(static_cast<u16>(port));
  prepare_reply(p, work);
  save_reply(p, work);
  work.claim = peer_of(work.insertion);
  return work.insertion.saved && work.insertion.is_ours;
}

// A record that is of no use without another, which did not come to be.
template <Platform P>
PEN_INLINE void give_up_claim(P& p, const Peer& claim) {
  const Flow reply = find_peer(p, claim);
  if (reply.found.record) end_connection(p, reply);
}

// nat: how the replies to work.packet's connection will be named.
template <Platform P>
PEN_INLINE FlowKey nat_reply_key(const Work& work, const RealServer& server) {
  return reply_key(work.route, work.packet.key, server, work.packet.key.client, work.packet.key.client_port);
}

// A stage: the request stands; nat's replies must find it, in its place or by a record. IPVS: of two connections that a real server
// can't tell apart the newer one gets the replies.
template <Platform P>
PEN_INLINE Next bind_replies(P& p, Work& work) {
  const RealServer* server = p.server(work.route.server);
  if (!server) return drop(p, Reason::bug);
  const FlowKey key = nat_reply_key<P>(work, *server);
  const u64 first_choice = first_choice_of(nh_of_ends(p.config().hash_key, key));
  const Place place = place_of(first_choice, p.config().connection_buckets);
  const Flow first = find_in_place(p, key, first_choice);
  if (first.found.record && record_number(first.found) == work.insertion.record) return Next::then_forward;
  if (first.found.record) take_out_of_place(first, key.vip_port);
  const Found<Connection> request = record_at(p, work.insertion.record);
  if (!request.record || owner_of(request.word) != work.insertion.owner) return Next::then_forward;  // ended meanwhile
  if (!is_found_in_place(work.route.traits)) return Next::then_insert_reply;
  if (is_near_start(place, request.bucket, request.index)) return Next::then_forward;
  take_out_of_place(flow_of(request), key.vip_port);
  return Next::then_insert_reply;
}

// A stage: nat's record of replies.
template <Platform P>
PEN_INLINE Next insert_reply(P& p, Work& work) {
  const RealServer* server = p.server(work.route.server);
  if (!server) return drop(p, Reason::bug);
  work.claim = peer_of(work.insertion);
  const u32 state = work.insertion.state;
  const Flow former = sought_reply(p, work, nat_reply_key<P>(work, *server));
  if (former.found.record) end_connection(p, former);
  work.route.traits |= trait_own_port;
  work.route.local_port = work.wanted.vip_port;
  prepare_reply(p, work);
  work.insertion.state = state;
  save_reply(p, work);
  return work.insertion.saved ? Next::then_forward : Next::then_give_up;
}

// A stage: without its reply's record the request can't be kept.
template <Platform P>
PEN_INLINE Next give_up(P& p, Work& work) {
  give_up_claim(p, work.claim);
  return drop(p, Reason::connection_table_full);
}

}  // namespace penstock
