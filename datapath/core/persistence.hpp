// Persistence: a client's connections go where its first one went, for as long as its template lives (IPVS: ip_vs_sched_persist).
// A template outlives its timeout while connections that it made live: the control plane's sweeper sees to that.
#pragma once

#include "datapath/core/classify.hpp"
#include "datapath/core/schedule.hpp"

namespace penstock {

// The first `length` bits, 1-64, as they stand in memory.
PEN_INLINE u64 prefix_mask(u32 length) { return __builtin_bswap64(~0ULL << ((64 - length) & 63)); }

PEN_INLINE AddressImage masked(const AddressImage& address, Family family, u32 netmask) {
  if (family == Family::ipv4) return {.low = address.low & netmask, .high = 0};
  if (netmask <= 64) return {.low = netmask == 0 ? 0 : address.low & prefix_mask(netmask), .high = 0};
  return {.low = address.low, .high = address.high & prefix_mask(netmask - 64)};
}

// FTP's data and control connections share a template, and so do all ports of a port-0 or a fwmark service.
PEN_INLINE FlowKey template_key(const FlowKey& flow, const Offer& offer) {
  const bool of_one_port = offer.mark == 0 && offer.port != be16{} && offer.port != ftp_port;
  const AddressImage mark{.low = static_cast<u32>(big(offer.mark)), .high = 0};
  return {.client = masked(flow.client, flow.family, offer.netmask),
          .vip = offer.mark == 0 ? flow.vip : mark,
          .client_port = {},
          .vip_port = of_one_port ? flow.vip_port : be16{},
          .protocol = offer.mark == 0 ? flow.protocol : u8{0},
          .family = flow.family,
          .role = Role::persistence};
}

static constexpr be16 invalid_port = static_cast<be16>(0xffff);

// Works no longer, but stays in the list until it expires.
template <Platform P>
PEN_INLINE void invalidate(P& p, Work& work, const Flow& flow, FlowKey key) {
  const u32 left = expires_of(flow.found.word) - p.now();
  const u32 state = state_of(flow.found.word);
  end_connection(p, flow);
  key.vip_port = invalid_port;
  Insertion& insertion = work.insertion;
  prepare_insertion(insertion, key, hash_of(p.config().hash_key, key), flow.server, flow.generation);
  insertion.state = state;
  insertion.timeout = left;
  save(p, work);
}

// IPVS: weight 0 and overload don't keep a known client away, unless expire_quiescent_template asks for it.
template <Platform P>
PEN_INLINE bool is_usable(P& p, const Flow& flow) {
  if (!is_available(p, flow)) return false;
  const Settings* settings = p.settings();
  if (!settings || load_acquire(&settings->expire_quiescent_template) == 0) return true;
  const ServerLoad* load = p.load(flow.server);
  return load && load_acquire(&load->weight) != 0;
}

// The server of the client's template, or no_slot.
template <Platform P>
PEN_INLINE u32 known_server(P& p, Work& work) {
  const Flow known = find_flow(p, template_key(work.packet.key, work.offer), Guess::present);
  if (!known.found.record || !is_usable(p, known)) return no_slot;
  prolong(p, known, static_cast<u32>(known.detail));
  return known.server;
}

template <Platform P>
PEN_INLINE void forget_client(P& p, Work& work) {
  const FlowKey key = template_key(work.packet.key, work.offer);
  const Flow known = find_flow(p, key, Guess::absent);
  if (known.found.record) invalidate(p, work, known, key);
}

// The client goes to this server from now on.
template <Platform P>
PEN_INLINE void remember_client(P& p, Work& work, u32 slot) {
  const RealServer* server = p.server(slot);
  if (!server) return;
  const FlowKey key = template_key(work.packet.key, work.offer);
  prepare_insertion(work.insertion, key, hash_of(p.config().hash_key, key), slot, route_of(server).generation);
  work.insertion.timeout = work.offer.persistence_ticks;
  work.insertion.content.detail = work.offer.persistence_ticks;
  save(p, work);
}

// A helper: a connection that a template made is established, or answered.
template <Platform P>
PEN_INLINE u32 assure(P& p, Work& work) {
  if (!find_service(p, work)) return 0;
  const Flow known = find_flow(p, template_key(work.packet.key, work.offer), Guess::present);
  if (!known.found.record) return 0;
  const u64 word = known.found.word;
  compare_exchange(&known.found.record->word, word,
                   with_state(word, static_cast<u32>(TemplateState::assured), expires_of(word)));
  return 0;
}

}  // namespace penstock
