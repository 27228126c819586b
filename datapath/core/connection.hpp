// Connections: finding, making, keeping and ending them. What a record's word means stands in table.hpp.
#pragma once

#include "datapath/core/count.hpp"
#include "datapath/core/hash.hpp"
#include "datapath/core/protocol_tcp.hpp"
#include "datapath/core/table_insert.hpp"

namespace penstock {

// Which of the two tables of connections: TCP before its handshake is complete lives apart.
enum class Region : u8 { established, half_open };

// The connection of the packet in hand.
struct Flow {
  Found<Connection> found;  // null record: none
  u32 server;
  u16 generation;
  Method method;
  Region region;
};

static constexpr Flow no_flow{};

PEN_INLINE bool is_tcp(const FlowKey& key) { return key.protocol == protocol_tcp; }

// IPVS's flag INACTIVE: UDP is never active.
PEN_INLINE bool is_active(const FlowKey& key, u32 state) {
  return is_tcp(key) && is_active(static_cast<TcpState>(state));
}

PEN_INLINE void add_load(ServerLoad* load, bool active, s32 amount) {
  if (load) add(active ? &load->active : &load->inactive, amount);
}

// What the end of any record means to its server's load. `load_at(slot)` gives a ServerLoad or null.
template <typename LoadAt>
PEN_INLINE void end_load(LoadAt load_at, const Connection& record, u64 word) {
  add_load(load_at(record.server), is_active(record.key, state_of(word)), -1);
}

template <Platform P>
PEN_INLINE auto ends_load(P& p) {
  return [&p](const Connection& record, u64 word)
             PEN_INLINE_LAMBDA { end_load([&p](u32 slot) PEN_INLINE_LAMBDA { return p.load(slot); }, record, word); };
}

template <Platform P>
struct RegionTable {
  P& p;
  Region region;

  PEN_INLINE ConnectionBucket* bucket(u32 index) {
    return region == Region::half_open ? p.half_open_bucket(index) : p.connection_bucket(index);
  }
  PEN_INLINE u64* tags(u32 index) {
    return region == Region::half_open ? p.half_open_tags(index) : p.connection_tags(index);
  }
};

template <Platform P>
PEN_INLINE Place place_in(P& p, Region region, u64 hash) {
  return place_of(hash, region == Region::half_open ? p.config().half_open_buckets : p.config().connection_buckets);
}

PEN_INLINE Flow flow_of(const Found<Connection>& found, Region region) {
  if (!found.record) return no_flow;
  const Flow flow{.found = found,
                  .server = load_acquire(&found.record->server),
                  .generation = load_acquire(&found.record->generation),
                  .method = load_acquire(&found.record->method),
                  .region = region};
  return still_holds(found) ? flow : no_flow;
}

template <Platform P>
PEN_INLINE Flow find_in(P& p, const Packet& packet, Region region, Guess guess) {
  const Place place = place_in(p, region, packet.hash);
  return flow_of(find_record<Connection>(RegionTable<P>{p, region}, place, packet.key, p.now(), guess), region);
}

// A SYN is expected to begin a connection, anything else to belong to one.
PEN_INLINE Guess guess_of(const Packet& packet) {
  return is_tcp(packet.key) && (packet.tcp_flags & tcp_syn) ? Guess::absent : Guess::present;
}

template <Platform P>
PEN_INLINE Flow find_connection(P& p, const Packet& packet) {
  const Flow flow = find_in(p, packet, Region::established, guess_of(packet));
  if (flow.found.record || !is_tcp(packet.key)) return flow;
  return find_in(p, packet, Region::half_open, Guess::absent);
}

struct Standing {
  u32 state;
  u32 timeout;  // ticks
};

// Where the packet leaves its connection.
template <Platform P>
PEN_INLINE Standing next_standing(P& p, const Packet& packet, u32 state) {
  const Settings* settings = p.settings();
  if (!settings) return {state, 0};
  if (!is_tcp(packet.key)) return {0, settings->udp_timeout};
  const u32 next = static_cast<u32>(next_tcp_state(static_cast<TcpState>(state & 0xf), packet.tcp_flags));
  return {next, next < tcp_states ? settings->tcp_timeout[next] : 0};
}

// What a packet's connection is to be, and what became of it. Plain, as it crosses into a function of its own (ADR-0004).
struct Insertion {
  Standing standing;
  u32 server;
  u16 generation;
  Method method;
  Region region;
  u32 saved;  // result: whether it stands in the table; if another CPU was faster, the three above are that CPU's now
};

PEN_INLINE Connection record_of(const Packet& packet, const Insertion& insertion) {
  return {.word = 0,
          .key = packet.key,
          .server = insertion.server,
          .generation = insertion.generation,
          .method = insertion.method,
          .flags = 0,
          .reserved = 0};
}

// Platforms run this as their insert(). The server's load grows before the record can be seen and ended by another CPU.
// A half-open region that is full makes room: a SYN flood turns over its own kind only.
template <Platform P>
PEN_INLINE void insert_connection(P& p, const Packet& packet, Insertion& insertion) {
  const Standing standing = insertion.standing;
  const Region region = insertion.region;
  const WhenFull when_full = region == Region::half_open ? WhenFull::evict_oldest : WhenFull::refuse;
  const bool active = is_active(packet.key, standing.state);
  add_load(p.load(insertion.server), active, 1);
  const Inserted<Connection> inserted =
      insert_record(RegionTable<P>{p, region}, place_in(p, region, packet.hash), record_of(packet, insertion),
                    standing.state, p.now() + standing.timeout, p.now(), when_full, ends_load(p));
  if (!inserted.stored) {
    add_load(p.load(insertion.server), active, -1);
    return;
  }
  insertion.saved = 1;
  const Flow stays = flow_of(inserted.stays, region);
  if (!stays.found.record) return;
  insertion.server = stays.server;
  insertion.generation = stays.generation;
  insertion.method = stays.method;
}

// A new connection to `server`, in the state that its first packet leaves it in. Null record: the tables are full.
template <Platform P>
PEN_INLINE Insertion save_connection(P& p, const Packet& packet, u32 server, const ServerRoute& route) {
  const Standing standing = next_standing(p, packet, 0);
  const bool half_open = is_tcp(packet.key) && is_half_open(static_cast<TcpState>(standing.state));
  Insertion insertion{.standing = standing,
                      .server = server,
                      .generation = route.generation,
                      .method = route.method,
                      .region = half_open ? Region::half_open : Region::established,
                      .saved = 0};
  p.insert(packet, insertion);
  if (insertion.saved) count_connection(p, insertion.server);
  return insertion;
}

// The handshake is complete: from the half-open region to the table. If that is full the record stays where it is, and works.
template <Platform P>
PEN_INLINE void promote(P& p, const Packet& packet, const Flow& flow, u64 word, Standing standing) {
  Insertion insertion{.standing = standing,
                      .server = flow.server,
                      .generation = flow.generation,
                      .method = flow.method,
                      .region = Region::established,
                      .saved = 0};
  p.insert(packet, insertion);
  if (!insertion.saved) {
    count(p, Reason::connection_table_full);
    return;
  }
  Found<Connection> left = flow.found;
  left.word = word;
  end_record(RegionTable<P>{p, flow.region}, left, p.now(), ends_load(p));
}

// Expiry is written anew only when it moves by more than this part of a second: a busy connection's line stays clean.
static constexpr u32 refreshes_per_second = 8;

template <Platform P>
PEN_INLINE bool is_fresh(P& p, u64 word, u32 state, u32 expiry) {
  const Settings* settings = p.settings();
  if (!settings || state != state_of(word)) return false;
  const s32 moved = static_cast<s32>(expiry - expires_of(word));
  const s32 slack = static_cast<s32>(settings->ticks_per_second / refreshes_per_second);
  return moved >= 0 && moved <= slack;
}

// Takes the packet into the connection's state and expiry. If another CPU changed the record meanwhile, its word stands.
template <Platform P>
PEN_INLINE void track(P& p, const Packet& packet, const Flow& flow) {
  const u32 state = state_of(flow.found.word);
  const Standing standing = next_standing(p, packet, state);
  const u32 expiry = p.now() + standing.timeout;
  if (is_fresh(p, flow.found.word, standing.state, expiry)) return;
  const u64 word = with_state(flow.found.word, standing.state, expiry);
  if (!compare_exchange(&flow.found.record->word, flow.found.word, word)) return;
  if (standing.state == state) return;
  const bool was_active = is_active(packet.key, state);
  const bool active = is_active(packet.key, standing.state);
  if (was_active != active) {
    add_load(p.load(flow.server), active, 1);
    add_load(p.load(flow.server), was_active, -1);
  }
  const bool completes = standing.state == static_cast<u32>(TcpState::established);
  if (completes && flow.region == Region::half_open) promote(p, packet, flow, word, standing);
}

// Ends a connection before its time.
template <Platform P>
PEN_INLINE void end_connection(P& p, const Flow& flow) {
  end_record(RegionTable<P>{p, flow.region}, flow.found, p.now(), ends_load(p));
}

}  // namespace penstock
