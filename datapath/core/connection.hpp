// Connections: finding and keeping them. What a record's word means stands in table.hpp, making one in insert.hpp.
#pragma once

#include "datapath/core/count.hpp"
#include "datapath/core/hash.hpp"
#include "datapath/core/load.hpp"
#include "datapath/core/table_insert.hpp"

namespace penstock {

// A record of the connection table, with what stood in it when it was found.
struct Flow {
  Found<Connection> found;  // null record: none
  u32 server;
  u16 generation;
  u8 traits;
  u8 local_address;
  be16 local_port;
  u64 detail;
};

static constexpr Flow no_flow{};

PEN_INLINE Method method_of(u8 traits) { return static_cast<Method>(traits & method_mask); }

// These rewrite addresses, so their replies must pass the director.
PEN_INLINE bool is_translating(Method method) { return method == Method::nat || method == Method::fullnat; }

// The server's present route, as one word.
PEN_INLINE ServerRoute route_of(const RealServer* server) {
  return __builtin_bit_cast(ServerRoute, load_acquire(reinterpret_cast<const u64*>(&server->route)));
}

// Whether the connection still belongs to the server of its slot.
PEN_INLINE bool is_alive(const Flow& flow, const ServerRoute& route) {
  return route.available && route.generation == flow.generation;
}

template <Platform P>
struct ConnectionTable {
  P& p;

  PEN_INLINE ConnectionBucket* bucket(u32 index) { return p.connection_bucket(index); }
  PEN_INLINE u64* tags(u32 index) { return p.connection_tags(index); }
};

// The eight bytes from `server` on, in one piece.
struct alignas(8) Belonging {
  u16 server;
  u16 generation;
  u8 traits;
  u8 local_address;
  be16 local_port;
};

PEN_INLINE u64 belonging_word(const Connection& record) {
  return load_acquire(reinterpret_cast<const u64*>(&record.server));
}

PEN_INLINE Belonging belonging_of(const Connection& record) {
  return __builtin_bit_cast(Belonging, belonging_word(record));
}

// Word by word, as the record may be changing hands: still_holds() says whether it did.
PEN_INLINE FlowKey key_of(const Connection& record) {
  FlowKey key{};
  const u64* from = reinterpret_cast<const u64*>(&record.key);
  u64* to = reinterpret_cast<u64*>(&key);
  for (u32 i = 0; i < sizeof key / sizeof(u64); ++i) to[i] = load_acquire(&from[i]);
  return key;
}
PEN_INLINE FlowKey key_of(const Flow& flow) { return key_of(*flow.found.record); }

PEN_INLINE Flow flow_of(const Found<Connection>& found) {
  if (!found.record) return no_flow;
  const Belonging of = belonging_of(*found.record);
  const Flow flow{.found = found,
                  .server = of.server,
                  .generation = of.generation,
                  .traits = of.traits,
                  .local_address = of.local_address,
                  .local_port = of.local_port,
                  .detail = load_acquire(&found.record->detail)};
  return still_holds(found) ? flow : no_flow;
}

template <Platform P>
PEN_INLINE Flow find_flow(P& p, const FlowKey& key, u64 hash, Guess guess) {
  const Place place = place_of(hash, p.config().connection_buckets);
  return flow_of(find_record<Connection>(ConnectionTable<P>{p}, place, key, p.now(), guess));
}

template <Platform P>
PEN_INLINE Flow find_flow(P& p, const FlowKey& key, Guess guess) {
  return find_flow(p, key, hash_of(p.config().hash_key, key), guess);
}

PEN_INLINE u32 record_number(u32 bucket, u32 index) { return bucket * records_per_bucket + index; }
PEN_INLINE u32 record_number(const Found<Connection>& found) { return record_number(found.bucket, found.index); }

// The record of that number, whatever it is now.
template <Platform P>
PEN_INLINE Found<Connection> record_at(P& p, u32 number) {
  const u32 index = number % records_per_bucket;
  ConnectionBucket* bucket = p.connection_bucket(number / records_per_bucket);
  if (!bucket) return {};
  Connection* record = &bucket->records[index];
  return {record, load_acquire(&record->word), number / records_per_bucket, index};
}

// The record that a peer names, if that still lives.
template <Platform P>
PEN_INLINE Flow find_peer(P& p, const Peer& peer) {
  const Found<Connection> found = record_at(p, peer.record);
  if (!found.record || owner_of(found.word) != peer.owner) return no_flow;
  if (!is_live(found.word) || is_over(found.record, found.word, p.now())) return no_flow;
  return flow_of(found);
}

struct Standing {
  u32 state;
  u32 timeout;  // ticks
};

// Where the packet leaves its connection.
PEN_INLINE Standing next_standing(const Settings& settings, const Packet& packet, u32 state, Direction direction) {
  const StateMachine& machine = machine_of(settings, packet.machine);
  const u32 next = next_state(machine.next[static_cast<u32>(direction) % directions][packet.event % events_max], state);
  return {next, machine.timeout[next]};
}

PEN_INLINE Direction direction_of(Method method) {
  return is_translating(method) ? Direction::input : Direction::input_only;
}

// The director sees both sides of nat and fullnat, and of connections whose real server is itself. Direct routing, which most packets
// are, is known by one look; the others without branches.
PEN_INLINE Direction direction_of(u8 traits) {
  static constexpr u32 seen = trait_seen_reply;
  if ((traits & (method_mask | seen)) == static_cast<u32>(Method::direct)) return Direction::input_only;
  const u32 translating =
      (1U << static_cast<u32>(Method::nat) | 1U << static_cast<u32>(Method::fullnat)) >> (traits & method_mask);
  const u32 both_sides = (translating | traits / seen) & 1;
  static_assert(static_cast<u32>(Direction::input) == 0 && static_cast<u32>(Direction::input_only) == 2);
  return static_cast<Direction>((both_sides ^ 1) * 2);
}

// Expiry is written anew only when it moves by more than this part of a second: a busy connection's line stays clean.
static constexpr u32 refreshes_per_second = 8;

PEN_INLINE bool is_fresh(const Settings& settings, u64 word, u32 state, u32 expiry) {
  if (state != state_of(word)) return false;
  const s32 moved = static_cast<s32>(expiry - expires_of(word));
  return moved >= 0 && moved <= static_cast<s32>(settings.ticks_per_second / refreshes_per_second);
}

// Traits, once set, stay.
static constexpr u32 traits_shift = 32;  // in the eight bytes from `server` on
PEN_INLINE void set_trait(Connection* record, u8 trait) {
  static_assert(__builtin_offsetof(Connection, traits) == __builtin_offsetof(Connection, server) + traits_shift / 8);
  set_bits(reinterpret_cast<u64*>(&record->server), static_cast<u64>(trait) << traits_shift);
}

// The client went on. Where answers aren't seen, this stands for them.
PEN_INLINE void note_going_on(const Flow& flow, Direction direction) {
  if (direction == Direction::input_only && !(flow.traits & trait_answered))
    set_trait(flow.found.record, trait_answered);
}

// Takes the packet into the connection's state and expiry. If another CPU changed the record meanwhile, its word stands.
template <Platform P>
PEN_INLINE void track(P& p, Work& work, const Flow& flow, Direction direction) {
  const Settings* settings = p.settings();
  if (!settings) return;
  const FlowKey& key = work.packet.key;  // of AH and ESP: their IKE connection's, which every packet keeps alive
  const u32 state = state_of(flow.found.word);
  const Standing standing = next_standing(*settings, work.packet, state, direction);
  const u32 expiry = p.now() + standing.timeout;
  if (is_fresh(*settings, flow.found.word, standing.state, expiry)) return;
  if (!compare_exchange(&flow.found.record->word, flow.found.word, with_state(flow.found.word, standing.state, expiry)))
    return;
  if (standing.state == state) return note_going_on(flow, direction);
  const bool active = is_active(key, standing.state);
  if (is_active(key, state) != active)
    if (ServerLoad* load = p.load(flow.server)) move_load(load, active);
  if ((flow.traits & trait_controlled) && is_established(key, standing.state)) work.after.assures = true;
}

}  // namespace penstock
