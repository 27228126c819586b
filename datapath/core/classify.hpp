// Which virtual service a packet is for, and whether it may begin a connection.
#pragma once

#include "datapath/core/count.hpp"
#include "datapath/core/hash.hpp"
#include "datapath/core/mark.hpp"
#include "datapath/core/states.hpp"
#include "datapath/core/table.hpp"

namespace penstock {

PEN_INLINE bool is_set(const u64 (&bits)[vip_filter_bits / 64], u32 bit) {
  return (bits[bit / 64] >> (bit % 64) & 1) != 0;
}

// What a look at the addresses says of a packet. A wrong yes costs a look-up, a wrong no cannot be.
struct Gate {
  bool to_us;        // the destination is virtual, or a mark rule may mean it
  bool from_server;  // the source is a real server whose packets are rewritten
};

template <Platform P>
PEN_INLINE Gate gate_of(P& p, const FlowKey& key) {
  const VipFilter* filter = p.vip_filter();
  if (!filter) return {};
  const bool is_virtual = is_set(filter->bits, vip_filter_bit(key.vip));
  const u64 uses = load_acquire(&filter->uses);
  if (uses == 0) return {.to_us = is_virtual, .from_server = false};
  const u32 prefix = static_cast<u16>(key.vip.low);
  const bool is_marked = (uses & filter_has_marked) && is_set(filter->marked[key.family == Family::ipv6], prefix);
  return {.to_us = is_marked || is_virtual,
          .from_server = (uses & filter_has_servers) && is_set(filter->servers, vip_filter_bit(key.client))};
}

template <Platform P>
struct ServiceTable {
  P& p;

  PEN_INLINE ServiceBucket* bucket(u32 index) { return p.service_bucket(index); }
  PEN_INLINE u64* tags(u32 index) { return p.service_tags(index); }
};

template <Platform P>
PEN_INLINE bool find_offer(P& p, const ServiceKey& key, Offer& offer) {
  const Config& config = p.config();
  const Place place = place_of(hash_of(config.hash_key, key), config.service_buckets);
  const Found<Service> found = find_record<Service>(ServiceTable<P>{p}, place, key, 0, Guess::absent);
  if (!found.record) return false;
  const u64 schedule = load_acquire(reinterpret_cast<const u64*>(&found.record->schedule));
  offer.schedule = {.offset = static_cast<u32>(schedule), .size = static_cast<u32>(schedule >> 32)};
  offer.id = load_acquire(&found.record->id);
  offer.flags = load_acquire(&found.record->flags);
  offer.persistence_ticks = load_acquire(&found.record->persistence_ticks);
  offer.netmask = load_acquire(&found.record->netmask);
  offer.mark = key.mark;
  offer.port = key.port;
  return still_holds(found);
}

static constexpr be16 ftp_port = big(u16{21});
static constexpr be16 ftp_data_port = big(u16{20});
static constexpr u16 unprivileged_port = 1024;

PEN_INLINE ServiceKey service_key(const FlowKey& key, be16 port) {
  return {.vip = key.vip, .port = port, .protocol = key.protocol, .family = key.family, .mark = 0};
}

// IPVS's order (ip_vs_service_find): by mark; by address and port; FTP's, for what may be its data; of all ports.
template <Platform P>
PEN_INLINE bool find_service(P& p, Work& work) {
  const FlowKey& key = work.packet.key;
  const Settings* settings = p.settings();
  if (!settings) return false;
  if (load_acquire(&settings->mark_rules) != 0) {
    const u32 mark = p.run_find_mark(work);
    const ServiceKey by_mark{.vip = {}, .port = {}, .protocol = 0, .family = key.family, .mark = mark};
    if (mark != 0 && find_offer(p, by_mark, work.offer)) return true;
  }
  const bool may_be_ftp = is_tcp(key) && load_acquire(&settings->ftp_services) != 0 &&
                          (key.vip_port == ftp_data_port || host(key.vip_port) >= unprivileged_port);
  const bool may_be_any = load_acquire(&settings->port_zero_services) != 0;
  be16 port = key.vip_port;
  PEN_ROLLED
  for (u32 attempt = 0; attempt < 3; ++attempt) {
    const bool possible = attempt == 0 || (attempt == 1 && may_be_ftp) || (attempt == 2 && may_be_any);
    if (attempt == 1) port = ftp_port;
    if (attempt == 2) port = be16{};
    if (possible && find_offer(p, service_key(key, port), work.offer)) return true;
  }
  return false;
}

// IPVS: TCP begins with SYN and without RST, with sloppy_tcp with anything but RST; SCTP with INIT, with sloppy_sctp with
// anything but ABORT; UDP with any packet, AH and ESP with none. What comes from FTP's data port begins nothing: it belongs to
// a connection that exists (ip_vs_schedule). Of fragments only the first says enough.
template <Platform P>
PEN_INLINE bool may_begin_connection(P& p, const Packet& packet) {
  const Settings* settings = p.settings();
  if (!settings || packet.is_portless || packet.key.client_port == ftp_data_port) return false;
  if (is_tcp(packet.key)) {
    if (packet.tcp_flags & tcp_rst) return false;
    return (packet.tcp_flags & tcp_syn) || load_acquire(&settings->sloppy_tcp) != 0;
  }
  if (is_sctp(packet.key)) {
    if (packet.event == static_cast<u8>(SctpEvent::init)) return true;
    return load_acquire(&settings->sloppy_sctp) != 0 && packet.event != static_cast<u8>(SctpEvent::abort);
  }
  return true;
}

// A helper: whether work.asked is one of the director's own addresses.
template <Platform P>
PEN_INLINE u32 is_own(P& p, Work& work) {
  const OwnPrefixes* own = p.own_prefixes();
  if (!own) return 0;
  const u32 count = load_acquire(&own->count);
  u32 found = 0;
  PEN_ROLLED
  for (u32 i = 0; i < own_prefixes_max && i < count; ++i) {
    const OwnPrefix& each = own->prefixes[i];
    const u64 difference =
        ((work.asked.low ^ each.prefix.low) & each.mask.low) | ((work.asked.high ^ each.prefix.high) & each.mask.high);
    found |= static_cast<u32>(difference == 0) & static_cast<u32>(each.family == work.packet.key.family);
  }
  return found;
}

template <Platform P>
PEN_INLINE bool is_own_address(P& p, Work& work, const AddressImage& address) {
  work.asked = address;
  return p.run_is_own(work) != 0;
}

// Whether a packet may come from there at all: the kernel drops others before IPVS sees them, and no ICMP error may be sent to
// them (RFC 1122 §3.2.2, RFC 4443 §2.4 (e)).
PEN_INLINE bool has_unicast_source(const FlowKey& key) {
  if (((key.client.low ^ key.vip.low) | (key.client.high ^ key.vip.high)) == 0) return false;
  const u8 first = static_cast<u8>(key.client.low);
  if (key.family == Family::ipv4) return first != 0 && first != 127 && first < 224;
  const bool unspecified_or_loopback = (key.client.low | (key.client.high & ~(1ULL << 56))) == 0;
  return first != 0xff && !unspecified_or_loopback;
}

}  // namespace penstock
