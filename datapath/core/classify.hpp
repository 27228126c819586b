// Which virtual service a packet is for, and which real server it chooses for a new connection.
#pragma once

#include "datapath/core/hash.hpp"
#include "datapath/core/packet.hpp"
#include "datapath/core/platform.hpp"
#include "datapath/core/protocol_tcp.hpp"
#include "datapath/core/table.hpp"

namespace penstock {

// One bit tells most foreign traffic from ours; a wrong yes costs a look-up, a wrong no cannot be.
template <Platform P>
PEN_INLINE bool is_virtual(P& p, const Packet& packet) {
  const VipFilter* filter = p.vip_filter();
  if (!filter) return false;
  const u32 bit = vip_filter_bit(packet.key.vip);
  return (filter->bits[bit / 64] >> (bit % 64) & 1) != 0;
}

template <Platform P>
struct ServiceTable {
  P& p;

  PEN_INLINE ServiceBucket* bucket(u32 index) { return p.service_bucket(index); }
  PEN_INLINE u64* tags(u32 index) { return p.service_tags(index); }
};

// What a service says of a new connection. Copied, so that the record may change meanwhile.
struct Offer {
  bool exists;
  ScheduleRef schedule;
};

template <Platform P>
PEN_INLINE Offer find_service(P& p, const Packet& packet) {
  const ServiceKey key{.vip = packet.key.vip,
                       .port = packet.key.vip_port,
                       .protocol = packet.key.protocol,
                       .family = packet.key.family,
                       .zero = 0};
  const Config& config = p.config();
  const Place place = place_of(hash_of(config.hash_key, key), config.service_buckets);
  const Found<Service> found = find_record<Service>(ServiceTable<P>{p}, place, key, 0, Guess::absent);
  if (!found.record) return {false, {}};
  const u64 schedule = load_acquire(reinterpret_cast<const u64*>(&found.record->schedule));
  if (!still_holds(found)) return {false, {}};
  return {true, {.offset = static_cast<u32>(schedule), .size = static_cast<u32>(schedule >> 32)}};
}

static constexpr be16 ftp_data_port = big(u16{20});

// IPVS: TCP begins with SYN and without RST, with sloppy_tcp with anything but RST; UDP with any packet. What comes from FTP's
// data port begins nothing: it belongs to a connection that exists (ip_vs_schedule).
template <Platform P>
PEN_INLINE bool may_begin_connection(P& p, const Packet& packet) {
  if (packet.key.client_port == ftp_data_port) return false;
  if (packet.key.protocol != protocol_tcp) return true;
  if (packet.tcp_flags & tcp_rst) return false;
  const Settings* settings = p.settings();
  return (packet.tcp_flags & tcp_syn) || (settings && settings->sloppy_tcp);
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

static constexpr u32 no_server = ~0U;

// The next pick of the service's schedule: a server's slot, or no_server.
template <Platform P>
PEN_INLINE u32 schedule(P& p, const ScheduleRef& schedule) {
  if (schedule.size == 0) return no_server;
  u64* cursor = p.schedule_cell(schedule.offset);
  if (!cursor) return no_server;
  const u64 pick = fetch_add(cursor, 1) % schedule.size;
  const u64* slot = p.schedule_cell(schedule.offset + schedule_header_cells + static_cast<u32>(pick));
  return slot ? static_cast<u32>(load_acquire(slot)) : no_server;
}

}  // namespace penstock
