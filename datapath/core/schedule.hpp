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
  most_loaded,   // lblcr: of the members
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
      index = schedulers::sh_bucket(packet.key.client, packet.key.family, choice.hash_port, i == 0 ? 0 : (choice.start + i - 1) & 0xff);
      break;
    case SchedulerKind::maglev: {
      const u32 offset = i == 0 ? 0 : (choice.start + i - 1) % choice.schedule.size;
      index = schedulers::mh_entry(packet.key.client, packet.key.family, choice.hash_port, offset, choice.schedule.size);
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

// lblcr remembers a set of servers as bits; servers 40 slots apart share one.
static constexpr u32 member_bits = 40;
PEN_INLINE u64 member_bit(u32 slot) { return 1ULL << (slot % member_bits); }

PEN_INLINE bool draw_at(Choice& choice, u32 which, u32 slot, s64 weight) {
  choice.draw[which] -= weight;
  if (choice.drawn[which] == no_slot && choice.draw[which] <= 0) choice.drawn[which] = slot;
  return choice.drawn[which] != no_slot;
}

// Looks at one candidate. True: the scan is over.
template <Platform P>
PEN_INLINE bool examine(P& p, const Packet& packet, Choice& choice, u32 i) {
  const u32 slot = candidate(p, packet, choice, i);
  if (slot == no_slot || (choice.members & member_bit(slot)) == 0) return false;
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
    case ScanFor::most_loaded: {
      if (weight <= 0) return false;
      const u64 overhead = overhead_of(load, choice.head.overhead);
      const bool first = choice.server == no_slot;
      const bool more = choice.best_load * static_cast<u64>(weight) < overhead * static_cast<u64>(choice.best_weight);
      return (first || more) && take_best(choice, slot, overhead, weight);
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

// rr, wrr: the next pick, and on over those who take nothing now; the cursor goes along.
template <Platform P>
PEN_INLINE u32 choose_next(P& p, Work& work) {
  Choice& choice = work.choice;
  u64* cursor = p.schedule_cell(choice.schedule.offset);
  if (!cursor) return no_slot;
  choice.start = static_cast<u32>(fetch_add(cursor, 1) % choice.schedule.size);
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
  choice.count = choice.head.fallback ? size + 1 : 1;
  return scan_for(p, work, ScanFor::eligible);
}

template <Platform P>
PEN_INLINE u32 choose_least(P& p, Work& work) { return scan_for(p, work, ScanFor::least_loaded); }

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

// lblcr's set of servers, and when it last changed, in seconds.
PEN_INLINE u64 members_of(u64 detail) { return detail & ((1ULL << member_bits) - 1); }
PEN_INLINE u64 set_of(u64 members, u32 seconds) { return members | static_cast<u64>(seconds) << member_bits; }

template <Platform P>
PEN_INLINE void remember(P& p, Work& work, const FlowKey& key, u64 detail, u32 timeout) {
  const RealServer* server = p.server(work.choice.server);
  if (!server) return;
  Insertion& insertion = work.insertion;
  prepare_insertion(insertion, key, hash_of(p.config().hash_key, key), work.choice.server, route_of(server).generation);
  insertion.content.detail = detail;
  insertion.timeout = timeout;
  insertion.evicts = false;
  save(p, work);
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
  remember(p, work, key, 0, settings.lblc_expiration);
  return chosen;
}

template <Platform P>
PEN_INLINE u32 choose_replicated(P& p, Work& work, const Settings& settings) {
  Choice& choice = work.choice;
  const FlowKey key = cache_key(work.packet, work.offer.id);
  const Flow cached = find_flow(p, key, Guess::absent);
  const u32 seconds = (p.now() / settings.ticks_per_second) & 0xffffff;
  u64 members = 0;
  if (cached.found.record) {
    members = members_of(cached.detail);
    const u32 unchanged = (seconds - static_cast<u32>(cached.detail >> member_bits)) & 0xffffff;
    choice.members = members;
    const u32 least = choose_least(p, work);
    if ((members & (members - 1)) != 0 && unchanged > settings.lblcr_expiration / settings.ticks_per_second) {
      const u32 most = scan_for(p, work, ScanFor::most_loaded);
      members &= ~(most == no_slot ? 0 : member_bit(most));
      store_release(&cached.found.record->detail, set_of(members, seconds));
    }
    choice.members = ~0ULL;
    prolong(p, cached, settings.lblcr_expiration);
    if (least != no_slot && !is_too_busy(p, work, least)) return least;
  }
  if (choose_least(p, work) == no_slot) return no_slot;
  const u32 chosen = choice.server;
  if (cached.found.record) {
    if ((members & member_bit(chosen)) == 0)
      store_release(&cached.found.record->detail, set_of(members | member_bit(chosen), seconds));
  } else {
    remember(p, work, key, set_of(member_bit(chosen), seconds), settings.lblcr_expiration);
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
  choice.members = ~0ULL;
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
