// Choosing the real server of a new connection (IPVS: net/netfilter/ipvs/ip_vs_*.c). The control plane has laid out a schedule
// (abi/service.hpp); here it is read. What goes over all servers is a scan, which the platform runs: examine() for each candidate.
#pragma once

#include "datapath/core/insert.hpp"
#include "schedulers/siphash.hpp"
#include "schedulers/source_hash.hpp"

namespace penstock {

// What a scan over candidates is for.
enum class ScanFor : u32 {
  eligible,      // the first that takes connections
  least_loaded,  // by Overhead
  idle,          // lblc, lblcr: whether anyone has less than half its weight in active connections
  total_weight,  // twos
  draws,         // twos
};

PEN_INLINE u64 overhead_of(const ServerLoad* load, Overhead overhead) {
  const u64 active = static_cast<u64>(static_cast<u32>(load_acquire(&load->active)));
  const u64 inactive = static_cast<u64>(static_cast<u32>(load_acquire(&load->inactive)));
  const bool by_connections = overhead == Overhead::connections || overhead == Overhead::weighted_connections;
  return by_connections ? active * 256 + inactive : active + 1;
}

// The slot that the i-th candidate stands for, or no_slot.
template <Platform P>
PEN_INLINE u32 candidate(P& p, const Packet& packet, const Choice& choice, u32 i) {
  u32 index = choice.start + i;
  switch (choice.head.kind) {
    case SchedulerKind::source_hash:
      index = schedulers::sh_bucket(packet.key.client, packet.key.family, choice.hash_port,
                                    i == 0 ? 0 : (choice.start + i - 1) & 0xff);
      break;
    case SchedulerKind::maglev: {
      const u32 offset = i == 0 ? 0 : (choice.start + i - 1) % choice.schedule.size;
      index =
          schedulers::mh_entry(packet.key.client, packet.key.family, choice.hash_port, offset, choice.schedule.size);
      break;
    }
    default:
      if (index >= choice.schedule.size) index -= choice.schedule.size;
  }
  const u64* cell = p.schedule_cell(choice.schedule.offset + schedule_header_cells + index);
  return cell ? static_cast<u32>(load_acquire(cell)) : no_slot;
}

// sed, wlc and their like: is (load, weight) better than what was found so far? Strict, so that ties keep the earlier one.
PEN_INLINE bool is_better(const Choice& choice, u64 load, s64 weight) {
  if (choice.server == no_slot) return true;
  if (choice.head.overhead == Overhead::connections) return choice.best_load > load;
  return choice.best_load * static_cast<u64>(weight) > load * static_cast<u64>(choice.best_weight);
}

PEN_INLINE bool take_best(Choice& choice, u32 slot, u64 load, s64 weight) {
  choice.server = slot;
  choice.best_load = load;
  choice.best_weight = weight;
  return false;
}

PEN_INLINE bool draw_at(Choice& choice, u32 which, u32 slot, s64 weight) {
  choice.draw[which] -= weight;
  if (choice.drawn[which] == no_slot && choice.draw[which] <= 0) choice.drawn[which] = slot;
  return choice.drawn[which] != no_slot;
}

// Looks at one candidate. True: the scan is over.
template <Platform P>
PEN_INLINE bool examine(P& p, const Packet& packet, Choice& choice, u32 i) {
  const u32 slot = candidate(p, packet, choice, i);
  if (slot == no_slot) return false;
  const ServerLoad* load = p.load(slot);
  if (!load) return false;
  const s64 weight = load_acquire(&load->weight);
  const s64 active = load_acquire(&load->active);
  const bool eligible = is_eligible(load);
  switch (static_cast<ScanFor>(choice.what)) {
    case ScanFor::eligible:
      if (!eligible || (choice.head.overflow && active > weight)) return false;
      choice.server = slot;
      choice.looked_at = i;
      return true;
    case ScanFor::least_loaded: {
      if (!eligible) return false;
      if (choice.head.overhead == Overhead::never_queue && active == 0) {
        choice.server = slot;
        return true;
      }
      const u64 overhead = overhead_of(load, choice.head.overhead);
      return is_better(choice, overhead, weight) && take_best(choice, slot, overhead, weight);
    }
    case ScanFor::idle:
      if (active * 2 >= weight) return false;
      choice.server = slot;
      return true;
    case ScanFor::total_weight:
      if (eligible) choice.total_weight += weight;
      return false;
    case ScanFor::draws: {
      if (!eligible) return false;
      const bool first = draw_at(choice, 0, slot, weight);
      return draw_at(choice, 1, slot, weight) && first;
    }
  }
  return false;
}

// A step.
template <Platform P>
PEN_INLINE u32 scan(P& p, Work& work) {
  work.choice.server = no_slot;
  p.examine_all(work);
  return work.choice.server;
}

template <Platform P>
PEN_INLINE u32 scan_for(P& p, Work& work, ScanFor what) {
  work.choice.what = static_cast<u32>(what);
  return p.run_scan(work);
}

// Mostly the first candidate takes the connection, and nobody need scan.
template <Platform P>
PEN_INLINE u32 eligible_at(P& p, const Choice& choice, u32 index) {
  const u64* cell = p.schedule_cell(choice.schedule.offset + schedule_header_cells + index);
  const u32 slot = cell ? static_cast<u32>(load_acquire(cell)) : no_slot;
  const ServerLoad* load = slot == no_slot ? nullptr : p.load(slot);
  return load && is_eligible(load) ? slot : no_slot;
}

// rr, wrr: the next pick, and on over those who take nothing now; the cursor goes along.
template <Platform P>
PEN_INLINE u32 choose_next(P& p, Work& work) {
  Choice& choice = work.choice;
  u64* cursor = p.schedule_cell(choice.schedule.offset);
  if (!cursor) return no_slot;
  choice.start = static_cast<u32>(fetch_add(cursor, 1) % choice.schedule.size);
  const u32 next = eligible_at(p, choice, choice.start);
  if (next != no_slot) return next;
  const u32 server = scan_for(p, work, ScanFor::eligible);
  if (server != no_slot && choice.looked_at != 0) add(cursor, static_cast<u64>(choice.looked_at));
  return server;
}

// sh, mh, dh: where the hash says; with a fallback, where further hashes say.
template <Platform P>
PEN_INLINE u32 choose_by_hash(P& p, Work& work) {
  const Packet& packet = work.packet;
  Choice& choice = work.choice;
  const u32 size = choice.schedule.size;
  choice.hash_port = choice.head.with_port ? packet.key.client_port : be16{};
  switch (choice.head.kind) {
    case SchedulerKind::destination_hash:
      choice.start = schedulers::dh_bucket(packet.key.vip, packet.key.family);
      break;
    case SchedulerKind::source_hash:
      choice.start = schedulers::sh_bucket(packet.key.client, packet.key.family, choice.hash_port, 0);
      break;
    default:
      choice.start = schedulers::mh_entry(packet.key.client, packet.key.family, choice.hash_port, 0, size);
  }
  const u32 server = eligible_at(p, choice, choice.start);
  if (server != no_slot || !choice.head.fallback) return server;
  choice.count = size + 1;
  return scan_for(p, work, ScanFor::eligible);
}

template <Platform P>
PEN_INLINE u32 choose_least(P& p, Work& work) {
  return scan_for(p, work, ScanFor::least_loaded);
}

// Two draws by weight, from the flow's hash and a counter, and of the two the less loaded.
template <Platform P>
PEN_INLINE u32 choose_of_two(P& p, Work& work) {
  Choice& choice = work.choice;
  u64* cursor = p.schedule_cell(choice.schedule.offset);
  if (!cursor) return no_slot;
  choice.total_weight = 0;
  scan_for(p, work, ScanFor::total_weight);
  if (choice.total_weight == 0) return no_slot;
  const u64 chance = spread(work.packet.hash + fetch_add(cursor, 1));
  const u64 range = static_cast<u64>(choice.total_weight) + 1;
  choice.draw[0] = static_cast<s64>(static_cast<u32>(chance) % range);
  choice.draw[1] = static_cast<s64>((chance >> 32) % range);
  choice.drawn[0] = no_slot;
  choice.drawn[1] = no_slot;
  scan_for(p, work, ScanFor::draws);
  const ServerLoad* one = p.load(choice.drawn[0]);
  const ServerLoad* other = p.load(choice.drawn[1]);
  if (!one || !other) return one ? choice.drawn[0] : choice.drawn[1];
  const u64 first = overhead_of(one, Overhead::weighted_connections) * static_cast<u64>(load_acquire(&other->weight));
  const u64 second = overhead_of(other, Overhead::weighted_connections) * static_cast<u64>(load_acquire(&one->weight));
  return first > second ? choice.drawn[1] : choice.drawn[0];
}

// lblc, lblcr: what is remembered of a destination.
PEN_INLINE FlowKey cache_key(const Packet& packet, u32 service) {
  return {.client = {.low = service, .high = 0},
          .vip = packet.key.vip,
          .client_port = {},
          .vip_port = {},
          .protocol = 0,
          .family = packet.key.family,
          .role = Role::cache};
}

template <Platform P>
PEN_INLINE void remember(P& p, Work& work, const FlowKey& key, u64 detail, be16 seconds, u32 timeout) {
  const RealServer* server = p.server(work.choice.server);
  if (!server) return;
  Insertion& insertion = work.insertion;
  prepare_insertion(insertion, key, hash_of(p.config().hash_key, key), work.choice.server, route_of(server).generation);
  insertion.content.detail = detail;
  insertion.content.local_port = seconds;
  insertion.timeout = timeout;
  insertion.evicts = false;
  work.caches = true;  // the stage keep_cache inserts it
}

// IPVS, lblc: more active connections than weight, while another server has less than half of its own.
template <Platform P>
PEN_INLINE bool is_too_busy(P& p, Work& work, u32 slot) {
  const ServerLoad* load = p.load(slot);
  if (!load || load_acquire(&load->active) <= load_acquire(&load->weight)) return false;
  return scan_for(p, work, ScanFor::idle) != no_slot;
}

template <Platform P>
PEN_INLINE bool is_available(P& p, const Flow& flow) {
  const RealServer* server = p.server(flow.server);
  return server && is_alive(flow, route_of(server));
}

// The record was used: it lives on.
template <Platform P>
PEN_INLINE void prolong(P& p, const Flow& flow, u32 timeout) {
  const u64 word = flow.found.word;
  compare_exchange(&flow.found.record->word, word, with_state(word, state_of(word), p.now() + timeout));
}

template <Platform P>
PEN_INLINE u32 choose_cached(P& p, Work& work, const Settings& settings) {
  Choice& choice = work.choice;
  const FlowKey key = cache_key(work.packet, work.offer.id);
  const Flow cached = find_flow(p, key, Guess::absent);
  if (cached.found.record && is_available(p, cached)) {
    const ServerLoad* load = p.load(cached.server);
    if (load && load_acquire(&load->weight) > 0 && !is_too_busy(p, work, cached.server)) {
      prolong(p, cached, settings.lblc_expiration);
      return cached.server;
    }
  }
  if (choose_least(p, work) == no_slot) return no_slot;
  const u32 chosen = choice.server;
  if (cached.found.record) end_connection(p, cached);
  remember(p, work, key, 0, {}, settings.lblc_expiration);
  return chosen;
}

// lblcr's set: up to four slots in a word, the last that came lowest; 0: none. The kernel's has no bound. Here a fifth server takes
// the place of the one that has been in it for longest: a destination that needs more than four still goes to the least loaded of
// all, but its set turns over, and each turn costs an insertion. More would need records that name each other.
static constexpr u32 set_max = 4;
PEN_INLINE u32 member(u64 set, u32 i) { return static_cast<u32>(set >> (i * 16) & 0xffff); }
PEN_INLINE u64 with_member(u64 set, u32 slot) { return set << 16 | slot; }

PEN_INLINE bool has_member(u64 set, u32 slot) {
  return member(set, 0) == slot || member(set, 1) == slot || member(set, 2) == slot || member(set, 3) == slot;
}

PEN_INLINE u64 without_member(u64 set, u32 slot) {
  u64 rest = 0;
  for (u32 i = set_max; i-- > 0;)
    if (member(set, i) != slot && member(set, i) != 0) rest = rest << 16 | member(set, i);
  return rest;
}

// Of the set the least loaded (IPVS: ip_vs_dest_set_min) or the most loaded server (ip_vs_dest_set_max), or no_slot.
enum class Extreme : u32 { least, most };

template <Platform P>
PEN_INLINE u32 extreme_of_set(P& p, u64 set, Extreme extreme) {
  u32 found = no_slot;
  u64 best = 0;
  u64 best_weight = 0;
  PEN_ROLLED
  for (u32 i = 0; i < set_max; ++i) {
    const u32 slot = member(set, i);
    const ServerLoad* load = slot == 0 ? nullptr : p.load(slot);
    const RealServer* server = slot == 0 ? nullptr : p.server(slot);
    if (!load || !server || load_acquire(&load->weight) <= 0) continue;
    if (extreme == Extreme::least && (!is_eligible(load) || !route_of(server).available)) continue;
    const u64 weight = static_cast<u64>(load_acquire(&load->weight));
    const u64 overhead = overhead_of(load, Overhead::weighted_connections);
    const u64 ours = overhead * best_weight;
    const u64 theirs = best * weight;
    if (found != no_slot && !(extreme == Extreme::least ? theirs > ours : theirs < ours)) continue;
    found = slot;
    best = overhead;
    best_weight = weight;
  }
  return found;
}

// When a set changed, in units of two seconds: half of what 16 bits hold is 18 hours, so a day looks like "at most a day".
static constexpr u32 set_seconds = 2;

template <Platform P>
PEN_INLINE be16 set_time(P& p, const Settings& settings) {
  return static_cast<be16>(p.now() / settings.ticks_per_second / set_seconds & 0xffff);
}

PEN_INLINE bool is_set_old(const Settings& settings, be16 changed, be16 now) {
  const u32 age = static_cast<u16>(static_cast<u16>(now) - static_cast<u16>(changed));
  return age > settings.lblcr_expiration / settings.ticks_per_second / set_seconds;
}

template <Platform P>
PEN_INLINE void change_set(P& p, Work& work, const Settings& settings, const Flow& cached, const FlowKey& key,
                           u64 set) {
  if (cached.found.record) end_connection(p, cached);
  remember(p, work, key, set, set_time(p, settings), settings.lblcr_expiration);
}

template <Platform P>
PEN_INLINE u64 joined(P& p, u64 set, u32 slot) {
  if (member(set, set_max - 1) != 0) count(p, Reason::lblcr_set_full);
  return with_member(set, slot);
}

template <Platform P>
PEN_INLINE u32 choose_replicated(P& p, Work& work, const Settings& settings) {
  const FlowKey key = cache_key(work.packet, work.offer.id);
  const Flow cached = find_flow(p, key, Guess::absent);
  u64 set = cached.found.record ? cached.detail : 0;
  const u32 least = extreme_of_set(p, set, Extreme::least);
  bool changed = false;
  if (member(set, 1) != 0 && is_set_old(settings, cached.local_port, set_time(p, settings))) {
    const u32 most = extreme_of_set(p, set, Extreme::most);
    changed = most != no_slot;
    set = changed ? without_member(set, most) : set;
  }
  u32 chosen = least;
  if (least == no_slot || is_too_busy(p, work, least)) {
    chosen = choose_least(p, work);
    if (chosen == no_slot) return no_slot;
    if (!has_member(set, chosen)) {
      changed = true;
      set = joined(p, set, chosen);
    }
  }
  work.choice.server = chosen;
  if (changed) {
    change_set(p, work, settings, cached, key, set);
  } else if (cached.found.record) {
    prolong(p, cached, settings.lblcr_expiration);
  }
  return chosen;
}

// The server of work.offer's schedule for work.packet, or no_slot.
template <Platform P>
PEN_INLINE u32 choose_server(P& p, Work& work) {
  Choice& choice = work.choice;
  choice.schedule = work.offer.schedule;
  choice.server = no_slot;
  if (choice.schedule.size == 0) return no_slot;
  const u64* head = p.schedule_cell(choice.schedule.offset + schedule_head_cell);
  const Settings* settings = p.settings();
  if (!head || !settings) return no_slot;
  choice.head = __builtin_bit_cast(ScheduleHead, load_acquire(head));
  choice.count = choice.schedule.size;
  choice.start = 0;
  u32 server = no_slot;
  switch (choice.head.kind) {
    case SchedulerKind::sequence:
      server = choose_next(p, work);
      break;
    case SchedulerKind::ranked:
      server = scan_for(p, work, ScanFor::eligible);
      break;
    case SchedulerKind::least:
      server = choose_least(p, work);
      break;
    case SchedulerKind::twos:
      server = choose_of_two(p, work);
      break;
    case SchedulerKind::lblc:
      server = choose_cached(p, work, *settings);
      break;
    case SchedulerKind::lblcr:
      server = choose_replicated(p, work, *settings);
      break;
    case SchedulerKind::destination_hash:
    case SchedulerKind::source_hash:
    case SchedulerKind::maglev:
      server = choose_by_hash(p, work);
      break;
  }
  return server;
}

}  // namespace penstock
