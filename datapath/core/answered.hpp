// From a real server's packet to its connection. nat's is looked for where the client's end puts it, which the packet has, too; what
// can't be found so, and fullnat's, has a reply's record (ADR-0014).
#pragma once

#include "datapath/core/reply_record.hpp"

namespace penstock {

PEN_INLINE FlowKey key_from_server(const FlowKey& key) {
  return {.client = key.vip,
          .vip = key.client,
          .client_port = key.vip_port,
          .vip_port = key.client_port,
          .protocol = key.protocol,
          .family = key.family,
          .role = Role::reply};
}

// The last eight bytes of a request's key, but for the virtual port: by one load; and as they must be, from registers.
PEN_INLINE u64 tail_of(const Connection& record) {
  static_assert(__builtin_offsetof(FlowKey, client_port) == 32 && __builtin_offsetof(FlowKey, vip_port) == 34);
  return load_acquire(reinterpret_cast<const u64*>(&record.key.client_port)) & ~0xffff0000ULL;
}
PEN_INLINE u64 tail_of_request(const FlowKey& reply) {
  static_assert(__builtin_offsetof(FlowKey, protocol) == 36 && __builtin_offsetof(FlowKey, family) == 37);
  static_assert(static_cast<u32>(Role::request) == 0);
  return static_cast<u64>(reply.client_port) | static_cast<u64>(reply.protocol) << 32 |
         static_cast<u64>(reply.family) << 40;
}

template <Platform P>
PEN_INLINE Flow find_in_place(P& p, const FlowKey& reply, u64 first_choice) {
  const Place place = place_of(first_choice, p.config().connection_buckets);
  ConnectionBucket* bucket = p.connection_bucket(place.bucket[0]);
  if (!bucket) return no_flow;
  const u64 tail = tail_of_request(reply);
  PEN_ROLLED
  for (u32 i = 0; i < records_near_start; ++i) {
    const u32 index = (place.start + i) & (records_per_bucket - 1);
    Connection* record = &bucket->records[index];
    const Found<Connection> found{record, load_acquire(&record->word), place.bucket[0], index};
    if (tail_of(*record) != tail || !same_address(record->key.client, reply.client)) continue;
    const Belonging of = belonging_of(*record);
    if (!is_found_in_place(of.traits) || !has_server_end(p, *record, of, reply)) continue;
    if (is_live(found.word) && !has_expired(record, found.word, p.now())) return flow_of(found);
  }
  return no_flow;
}

// A connection as `reply`, a key_from_server(), names it: its request where that stands in its place, or its reply's record.
template <Platform P>
PEN_INLINE Flow find_answered(P& p, Work& work, const FlowKey& reply) {
  const Flow request = find_in_place(p, reply, first_choice_of(nh_of_ends(p.config().hash_key, reply)));
  return request.found.record ? request : sought_reply(p, work, reply);
}

// The same, found by one look or not at all: of what goes to an address of the director, the connection is probably fullnat's.
template <Platform P>
PEN_INLINE Flow guess_answered(P& p, const FlowKey& reply, bool to_us) {
  const EndSums sums = nh_of_ends(p.config().hash_key, reply);
  if (!to_us) return find_in_place(p, reply, first_choice_of(sums));
  const Flow found = find_reply(p, reply, hash_of_whole(sums), Guess::present);
  return method_of(found.traits) == Method::fullnat ? found : no_flow;
}

PEN_INLINE bool is_reply(const Flow& found) { return load_acquire(&found.found.record->key.role) == Role::reply; }

// Of the VLAN of the client's frames.
PEN_INLINE be16 client_tag(const Flow& found, bool is_reply) {
  return is_reply ? static_cast<be16>(found.generation) : found.local_port;
}

// The request of what find_answered() found.
template <Platform P>
PEN_INLINE Flow request_of(P& p, const Flow& found) {
  return is_reply(found) ? find_request(p, found, Guess::present) : found;
}

// From here on the real server's packets don't find this connection in its place. If another CPU changed it meanwhile, it stays.
PEN_INLINE void take_out_of_place(const Flow& flow, be16 server_port) {
  if (!flow.found.record) return;
  const Belonging before{.server = static_cast<u16>(flow.server),
                         .generation = flow.generation,
                         .traits = flow.traits,
                         .local_address = flow.local_address,
                         .local_port = flow.local_port};
  Belonging after = before;
  after.traits |= trait_own_port;
  after.local_port = server_port;
  compare_exchange(reinterpret_cast<u64*>(&flow.found.record->server), __builtin_bit_cast(u64, before),
                   __builtin_bit_cast(u64, after));
}

}  // namespace penstock
