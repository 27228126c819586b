// The step that puts a record into the connection table, and what is built on it: a connection, and its reply's record.
#pragma once

#include "datapath/core/reply_record.hpp"

namespace penstock {

PEN_INLINE Peer peer_of(const Insertion& insertion) { return {insertion.record, insertion.owner}; }

// A helper: where work.insertion may go when both buckets of its key are full.
template <Platform P>
PEN_INLINE u32 find_room(P& p, Work& work) {
  Insertion& insertion = work.insertion;
  const Place place = place_of(insertion.hash, p.config().connection_buckets);
  work.room = crowded_room<Connection>(ConnectionTable<P>{p}, place, p.now(),
                                       insertion.evicts ? WhenFull::evict : WhenFull::refuse);
  return 0;
}

// What a record means to its server, from before another CPU can see and end it. False: there is no such server.
template <Platform P>
PEN_INLINE bool begin_load(P& p, const Insertion& insertion) {
  const FlowKey& key = insertion.content.key;
  ServerLoad* load = p.load(insertion.content.server);
  if (!load) return false;
  if (key.role == Role::request) bind_load(load, is_active(key, insertion.state));
  if (key.role == Role::persistence) add(&load->persistent, 1);
  return true;
}

template <Platform P>
PEN_INLINE void undo_begin_load(P& p, const Insertion& insertion) {
  const Insertion* again = &insertion;
  PEN_FORGET(again);  // read anew, else the verifier follows each role and state through all that is between
  end_load([&p](u32 slot) PEN_INLINE_LAMBDA { return p.load(slot); }, again->content, with_state(0, again->state, 0));
}

// A helper: the record stands, but settle_insertion must say which of equal ones stays.
template <Platform P>
PEN_INLINE u32 insert(P& p, Work& work) {
  Insertion& insertion = work.insertion;
  insertion.saved = false;
  insertion.is_ours = false;
  if (!begin_load(p, insertion)) return 0;
  const Place place = place_of(insertion.hash, p.config().connection_buckets);
  work.room = vacant_room(ConnectionTable<P>{p}, place);
  if (work.room.slots == 0) p.run_find_room(work);
  const u32 now = p.now();
  const Claimed<Connection> slot = publish_record(
      ConnectionTable<P>{p}, place, work.room, insertion.content, insertion.state, now + insertion.timeout, now,
      [&p](const Connection& ended, u64 word) PEN_INLINE_LAMBDA { account_for_end(p, ended, word); });
  insertion.record = record_number(slot.which == 0 ? place.bucket[0] : place.bucket[1], slot.slot);
  insertion.owner = owner_of(place.live | life_of(insertion.content));
  if (slot.record) return 1;
  undo_begin_load(p, insertion);
  return 0;
}

// A helper: of several records of work.insertion's key the first stays (settle(), with its results where they are wanted).
template <Platform P>
PEN_INLINE u32 settle_insertion(P& p, Work& work) {
  Insertion& insertion = work.insertion;
  const Place place = place_of(insertion.hash, p.config().connection_buckets);
  for_each_of_key<Connection>(ConnectionTable<P>{p}, place, insertion.content.key,
                              [&](const Found<Connection>& found) PEN_INLINE_LAMBDA {
                                if (insertion.saved || is_over(found.record, found.word, p.now()))
                                  return end_connection(p, found);
                                insertion.saved = true;
                                insertion.is_ours = insertion.record == record_number(found);
                                insertion.record = record_number(found);
                                insertion.owner = owner_of(found.word);
                                return true;
                              });
  return 0;
}

// work.insertion into the connection table; whether a record of that key stands there now is in it.
template <Platform P>
PEN_INLINE void save(P& p, Work& work) {
  if (p.run_insert(work) != 0) p.run_settle_insertion(work);
}

// A helper: of several reply's records that are found by work.wanted the first stays.
template <Platform P>
PEN_INLINE u32 settle_reply(P& p, Work& work) {
  Insertion& insertion = work.insertion;
  const Peer ours = peer_of(insertion);
  if (p.run_seek_reply(work) == 0) return 0;
  insertion.saved = true;
  insertion.is_ours = ours.record == work.sought.record;
  insertion.record = work.sought.record;
  insertion.owner = work.sought.owner;
  const Flow later = insertion.is_ours ? no_flow : find_peer(p, ours);
  if (later.found.record) end_connection(p, later);
  return 0;
}

// The same of a reply's record, which work.wanted names.
template <Platform P>
PEN_INLINE void save_reply(P& p, Work& work) {
  if (p.run_insert(work) != 0) p.run_settle_reply(work);
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

}  // namespace penstock
