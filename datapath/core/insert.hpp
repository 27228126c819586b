// The step that puts a record into the connection table, and what is built on it: a connection, and its reply's record.
#pragma once

#include "datapath/core/connection.hpp"

namespace penstock {

// A helper: the record stands, but settle() must say which of equal ones stays. For a request the server's load grows before the
// record can be seen and ended by another CPU.
template <Platform P>
PEN_INLINE u32 insert(P& p, Work& work) {
  Insertion& insertion = work.insertion;
  insertion.saved = false;
  insertion.is_ours = false;
  const Connection& content = insertion.content;
  const Role role = content.key.role;
  ServerLoad* load = p.load(content.server);
  if (!load) return 0;
  const bool active = is_active(content.key, insertion.state);
  if (role == Role::request) bind_load(load, active);
  if (role == Role::persistence) add(&load->persistent, 1);
  const u32 now = p.now();
  const Place place = place_of(insertion.hash, p.config().connection_buckets);
  const Claimed<Connection> slot =
      publish_record(ConnectionTable<P>{p}, place, content, insertion.state, now + insertion.timeout, now,
                     insertion.evicts ? WhenFull::evict : WhenFull::refuse,
                     [&p](const Connection& ended, u64 word) PEN_INLINE_LAMBDA { account_for_end(p, ended, word); });
  insertion.record = record_number(slot.which == 0 ? place.bucket[0] : place.bucket[1], slot.slot);
  if (slot.record) return 1;
  if (role == Role::request) unbind_load(load, active);
  if (role == Role::persistence) add(&load->persistent, -1);
  return 0;
}

// A helper: of several records of work.insertion's key the first stays (settle(), with its results where they are wanted).
template <Platform P>
PEN_INLINE u32 settle_insertion(P& p, Work& work) {
  Insertion& insertion = work.insertion;
  const Place place = place_of(insertion.hash, p.config().connection_buckets);
  for_each_of_key<Connection>(ConnectionTable<P>{p}, place, insertion.content.key, p.now(),
                              [&](const Found<Connection>& found) PEN_INLINE_LAMBDA {
                                if (insertion.saved) return end_connection(p, found);
                                insertion.saved = true;
                                insertion.is_ours = insertion.record == record_number(found);
                                insertion.record = record_number(found);
                                insertion.owner = owner_of(found.word);
                              });
  return 0;
}

// work.insertion into the connection table; whether a record of that key stands there now is in it.
template <Platform P>
PEN_INLINE void save(P& p, Work& work) {
  if (p.run_insert(work) != 0) p.run_settle_insertion(work);
}

// Nothing but the key and whose it is.
PEN_INLINE void prepare_insertion(Insertion& insertion, const FlowKey& key, u64 hash, u32 server, u16 generation) {
  insertion.content = {.word = 0,
                       .key = key,
                       .server = static_cast<u16>(server),
                       .generation = generation,
                       .traits = 0,
                       .local_address = 0,
                       .local_port = {},
                       .detail = 0};
  insertion.hash = hash;
  insertion.state = 0;
  insertion.evicts = true;
}

PEN_INLINE Peer peer_of(const Insertion& insertion) { return {insertion.record, insertion.owner}; }

}  // namespace penstock
