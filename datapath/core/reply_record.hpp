// A connection that one record can't serve in both directions has a second one, of role `reply`: found by the ends of the real server's
// packets, with all that these need (ADR-0014). What it says of state and time is the request's, a moment ago.
#pragma once

#include "datapath/core/connection.hpp"

namespace penstock {

// The port at which the real server gets the connection to `vip_port` that `of` describes (a Connection, Flow or Route): a server
// without a port takes the packet's.
template <typename Of>
PEN_INLINE be16 server_port(const Of& of, be16 vip_port, const RealServer& server) {
  if (of.traits & trait_own_port) return method_of(of.traits) == Method::nat ? of.local_port : vip_port;
  return server.port == be16{} ? vip_port : server.port;
}

// How the real server's packets name the connection: from its address and port to where we said the client was.
template <typename Of>
PEN_INLINE FlowKey reply_key(const Of& of, const FlowKey& request, const RealServer& server, const AddressImage& client,
                             be16 client_port) {
  return {.client = client,
          .vip = server.address,
          .client_port = client_port,
          .vip_port = server_port(of, request.vip_port, server),
          .protocol = request.protocol,
          .family = server.family,
          .role = Role::reply};
}

// The same of what stands in the table: `key` is the client's.
template <Platform P>
PEN_INLINE FlowKey reply_key_of(P& p, const Belonging& of, const FlowKey& key, const RealServer& server) {
  if (method_of(of.traits) != Method::fullnat) return reply_key(of, key, server, key.client, key.client_port);
  const LocalPool* pool = p.local_pool();
  return reply_key(of, key, server, pool ? pool->addresses[of.local_address] : AddressImage{}, of.local_port);
}

PEN_INLINE bool same_address(const AddressImage& stored, const AddressImage& wanted) {
  return load_acquire(&stored.low) == wanted.low && load_acquire(&stored.high) == wanted.high;
}

// Whether the real server's packets to the client, or to fullnat's local address, name the record's connection so: `name` is a
// reply_key().
template <Platform P>
PEN_INLINE bool has_client_end(P& p, const Connection& record, const Belonging& of, const FlowKey& name) {
  if (method_of(of.traits) != Method::fullnat)
    return load_acquire(&record.key.client_port) == name.client_port && same_address(record.key.client, name.client);
  const LocalPool* pool = p.local_pool();
  return of.local_port == name.client_port && pool && same_address(pool->addresses[of.local_address], name.client);
}

// And whether they come from there.
template <Platform P>
PEN_INLINE bool has_server_end(P& p, const Connection& record, const Belonging& of, const FlowKey& name) {
  const RealServer* server = p.server(of.server);
  return server && same_address(server->address, name.vip) && server->family == name.family &&
         server_port(of, load_acquire(&record.key.vip_port), *server) == name.vip_port;
}

// What records of role `reply` are wanted by: a reply_key().
template <Platform P>
struct ReplyName {
  P& p;
  const FlowKey& key;
};

template <Platform P>
PEN_INLINE bool has_key(const Connection& record, const ReplyName<P>& wanted) {
  const FlowKey& name = wanted.key;
  if (load_acquire(&record.key.role) != Role::reply || load_acquire(&record.key.protocol) != name.protocol)
    return false;
  const Belonging of = belonging_of(record);
  return has_client_end(wanted.p, record, of, name) && has_server_end(wanted.p, record, of, name);
}

template <Platform P>
PEN_INLINE Flow find_reply(P& p, const FlowKey& key, u64 hash, Guess guess) {
  const Place place = place_of(hash, p.config().connection_buckets);
  return flow_of(find_record<Connection>(ConnectionTable<P>{p}, place, ReplyName<P>{p, key}, p.now(), guess));
}

PEN_INLINE Peer peer_of(const Flow& flow) { return {record_number(flow.found), owner_of(flow.found.word)}; }

// A helper: the record that work.wanted, a reply_key(), names. 1: work.sought is it.
template <Platform P>
PEN_INLINE u32 seek_reply(P& p, Work& work) {
  const Flow reply = find_reply(p, work.wanted, hash_of(p.config().hash_key, work.wanted), Guess::absent);
  if (!reply.found.record) return 0;
  work.sought = peer_of(reply);
  return 1;
}

// As find_reply(), off the hot path.
template <Platform P>
PEN_INLINE Flow sought_reply(P& p, Work& work, const FlowKey& name) {
  work.wanted = name;
  return p.run_seek_reply(work) != 0 ? find_peer(p, work.sought) : no_flow;
}

// Whether both are of one connection, if their keys say so.
PEN_INLINE bool go_together(const Flow& reply, const Flow& request) {
  return request.server == reply.server && request.local_address == reply.local_address &&
         request.local_port == reply.local_port && ((request.traits ^ reply.traits) & method_mask) == 0;
}

// The request of a reply's record.
template <Platform P>
PEN_INLINE Flow find_request(P& p, const Flow& reply, Guess guess) {
  FlowKey key = key_of(reply);
  key.role = Role::request;
  const Flow request = find_flow(p, key, guess);
  return request.found.record && go_together(reply, request) ? request : no_flow;
}

// Ends the reply's record of a request that has ended, unless a living request has it (a new life of the same flow, or another connection
// that the real server can't tell from it).
template <Platform P>
PEN_INLINE void end_reply(P& p, Work& work, const Ended& ended) {
  const Belonging of = __builtin_bit_cast(Belonging, ended.belonging);
  const RealServer* server = p.server(of.server);
  if (!server) return;
  const Flow reply = sought_reply(p, work, reply_key_of(p, of, ended.key, *server));
  if (!reply.found.record || find_request(p, reply, Guess::absent).found.record) return;
  end_record(ConnectionTable<P>{p}, reply.found, p.now(), [](const Connection&, u64) PEN_INLINE_LAMBDA {});
}

// A helper: of all in work.ended.
template <Platform P>
PEN_INLINE u32 end_replies(P& p, Work& work) {
  PEN_ROLLED
  for (u32 i = 0; i < ended_max && i < work.after.ended; ++i) end_reply(p, work, work.ended[i]);
  work.after.ended = 0;
  return 0;
}

template <Platform P>
PEN_INLINE void note_end(P& p, const Connection& record) {
  Work* work = p.work();
  u32 count = work ? work->after.ended : ended_max;
  if (!work || count >= ended_max) return;
  work->after.ended = static_cast<u16>(count + 1);
  PEN_FORGET(count);
  work->ended[count % ended_max] = {.key = record.key, .belonging = belonging_word(record)};
}

// Whether the real server's packets find the connection where it stands, if that is near its place (answered.hpp).
PEN_INLINE bool is_found_in_place(u8 traits) {
  return (traits & (method_mask | trait_own_port)) == static_cast<u8>(Method::nat);
}

PEN_INLINE bool needs_reply_record(u8 traits) {
  return is_translating(method_of(traits)) && !is_found_in_place(traits);
}

// What is owed when a record ends, by whomever. Who ends requests runs end_replies() afterwards.
template <Platform P>
PEN_INLINE void account_for_end(P& p, const Connection& record, u64 word) {
  end_load([&p](u32 slot) PEN_INLINE_LAMBDA { return p.load(slot); }, record, word);
  if (record.key.role == Role::request && needs_reply_record(load_acquire(&record.traits))) note_end(p, record);
}

// False: the record changed meanwhile.
template <Platform P>
PEN_INLINE bool end_connection(P& p, const Found<Connection>& found) {
  return end_record(ConnectionTable<P>{p}, found, p.now(),
                    [&p](const Connection& record, u64 word) PEN_INLINE_LAMBDA { account_for_end(p, record, word); });
}

template <Platform P>
PEN_INLINE void end_connection(P& p, const Flow& flow) {
  end_connection(p, flow.found);
}

// A helper: the client of work.packet's connection has moved, and its reply's record is to know.
template <Platform P>
PEN_INLINE u32 move_reply(P& p, Work& work) {
  const Flow request = find_flow(p, work.packet.key, work.packet.hash, Guess::present);
  const RealServer* server = request.found.record ? p.server(request.server) : nullptr;
  if (!server) return 0;
  const Flow reply =
      sought_reply(p, work, reply_key_of(p, belonging_of(*request.found.record), work.packet.key, *server));
  if (reply.found.record) store_release(&reply.found.record->detail, request.detail);
  return 0;
}

}  // namespace penstock
