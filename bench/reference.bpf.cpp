// The obvious design, to measure Penstock's against: the same director on the kernel's own hash maps. Parsing, TCP states,
// scheduling, TTL and MAC rewriting are Penstock's own code, and so are the arrays of servers and next hops; what differs is
//   connections  BPF_MAP_TYPE_HASH, preallocated, under Penstock's 40-byte FlowKey; looked up first
//   services     BPF_MAP_TYPE_HASH
//   counters     BPF_MAP_TYPE_PERCPU_ARRAY
//   not for us   no filter of VIPs: known when both look-ups failed
// Expired connections count as absent when they are met. There is no region for half-open connections.
#include "bench/reference_records.hpp"
#include "datapath/bpf/xdp_platform.hpp"
#include "datapath/core/balance.hpp"

namespace penstock::bench {
namespace {

PEN_INLINE void* find(void* map, const void* key) {
  return reinterpret_cast<void* (*)(void*, const void*)>(1)(map, key);
}

PEN_INLINE bool insert_new(void* map, const void* key, const void* value) {
  return reinterpret_cast<long (*)(void*, const void*, const void*, u64)>(2)(map, key, value, BPF_NOEXIST) == 0;
}

PEN_INLINE bool replace(void* map, const void* key, const void* value) {
  return reinterpret_cast<long (*)(void*, const void*, const void*, u64)>(2)(map, key, value, BPF_ANY) == 0;
}

}  // namespace
}  // namespace penstock::bench

extern "C" {

const volatile penstock::Config config{};

struct ref_flows_map {
  int (*type)[BPF_MAP_TYPE_HASH];
  int (*max_entries)[1];
  int (*key_size)[sizeof(penstock::FlowKey)];
  int (*value_size)[sizeof(penstock::bench::ReferenceConnection)];
};
PEN_SECTION(".maps") ref_flows_map ref_flows;

struct ref_services_map {
  int (*type)[BPF_MAP_TYPE_HASH];
  int (*max_entries)[1024];
  int (*key_size)[sizeof(penstock::ServiceKey)];
  int (*value_size)[sizeof(penstock::ScheduleRef)];
};
PEN_SECTION(".maps") ref_services_map ref_services;

struct ref_counters_map {
  int (*type)[BPF_MAP_TYPE_PERCPU_ARRAY];
  int (*max_entries)[1];
  int (*key_size)[4];
  int (*value_size)[sizeof(penstock::ServerCounters)];
};
PEN_SECTION(".maps") ref_counters_map ref_counters;

struct ref_reasons_map {
  int (*type)[BPF_MAP_TYPE_PERCPU_ARRAY];
  int (*max_entries)[1];
  int (*key_size)[4];
  int (*value_size)[sizeof(penstock::ReasonCounters)];
};
PEN_SECTION(".maps") ref_reasons_map ref_reasons;
}

namespace penstock::bench {
namespace {

class ReferencePlatform : public XdpPlatform {
 public:
  using XdpPlatform::XdpPlatform;

  PEN_INLINE ServerCounters* counters(u32 slot) {
    return static_cast<ServerCounters*>(helpers::map_lookup(&::ref_counters, &slot));
  }
  PEN_INLINE ReasonCounters* reason_counters() {
    const u32 zero = 0;
    return static_cast<ReasonCounters*>(helpers::map_lookup(&::ref_reasons, &zero));
  }
};

using P = ReferencePlatform;

// The key is copied wherever a helper takes its address, so that the rest of the packet stays in registers, with bounds that the
// verifier knows.
PEN_INLINE ReferenceConnection* find_connection(P& p, const Packet& packet) {
  const FlowKey key = packet.key;
  auto* connection = static_cast<ReferenceConnection*>(find(&::ref_flows, &key));
  return connection && !is_past(connection->expires, p.now()) ? connection : nullptr;
}

PEN_INLINE bool is_reused(P& p, const Packet& packet, const ReferenceConnection& connection) {
  if (!is_tcp(packet.key) || (packet.tcp_flags & (tcp_syn | tcp_rst)) != tcp_syn) return false;
  const Settings* settings = p.settings();
  if (!settings || settings->conn_reuse_mode == 0) return false;
  return connection.state == static_cast<u8>(TcpState::time_wait) ||
         connection.state == static_cast<u8>(TcpState::close);
}

PEN_INLINE void move_load(P& p, const Packet& packet, const ReferenceConnection& connection, u32 next) {
  const bool was_active = is_active(packet.key, connection.state);
  const bool active = is_active(packet.key, next);
  if (was_active == active) return;
  add_load(p.load(connection.server), active, 1);
  add_load(p.load(connection.server), was_active, -1);
}

// A plain store, but only when there is something new: the line of a busy connection stays clean for a while, as in Penstock.
PEN_INLINE void track(P& p, const Packet& packet, ReferenceConnection& connection) {
  const Standing standing = next_standing(p, packet, connection.state);
  const u32 expires = p.now() + standing.timeout;
  if (standing.state != connection.state) {
    move_load(p, packet, connection, standing.state);
    connection.state = static_cast<u8>(standing.state);
    connection.expires = expires;
    return;
  }
  const Settings* settings = p.settings();
  if (settings && expires - connection.expires > settings->ticks_per_second / refreshes_per_second)
    connection.expires = expires;
}

PEN_INLINE Outcome balance_known(P& p, const Packet& packet, ReferenceConnection& connection) {
  const RealServer* server = p.server(connection.server);
  if (!server) return settled(drop(p, Reason::bug));
  const ServerRoute route = route_of(server);
  if (!route.available || route.generation != connection.generation) return settled(drop(p, Reason::server_removed));
  track(p, packet, connection);
  return forward(p, packet, connection.server, static_cast<Method>(connection.method), route);
}

PEN_INLINE Outcome balance_new(P& p, const Packet& packet, bool replaces) {
  const ServiceKey key{.vip = packet.key.vip,
                       .port = packet.key.vip_port,
                       .protocol = packet.key.protocol,
                       .family = packet.key.family,
                       .zero = 0};
  const auto* service = static_cast<const ScheduleRef*>(find(&::ref_services, &key));
  if (!service) return settled(pass(p, Reason::pass_no_service));
  if (!has_unicast_source(packet.key) || !is_intact(p, packet)) return settled(pass(p, Reason::pass_malformed));
  if (!may_begin_connection(p, packet)) return settled(pass(p, Reason::pass_no_connection));
  const u32 slot = schedule(p, *service);
  if (slot == no_server) return refused(IcmpError::port_unreachable, Reason::no_destination, no_server);
  const RealServer* server = p.server(slot);
  if (!server) return settled(drop(p, Reason::bug));
  const ServerRoute route = route_of(server);
  const Standing standing = next_standing(p, packet, 0);
  const ReferenceConnection connection{.expires = p.now() + standing.timeout,
                                       .server = slot,
                                       .generation = route.generation,
                                       .state = static_cast<u8>(standing.state),
                                       .method = static_cast<u8>(route.method),
                                       .zero = 0};
  const FlowKey flow = packet.key;
  const bool saved =
      replaces ? replace(&::ref_flows, &flow, &connection) : insert_new(&::ref_flows, &flow, &connection);
  if (!saved) return settled(drop(p, Reason::connection_table_full));
  add_load(p.load(slot), is_active(packet.key, standing.state), 1);
  count_connection(p, slot);
  return forward(p, packet, slot, route.method, route);
}

PEN_INLINE Verdict balance_reference(P& p) {
  Packet packet{};
  const Parsed network = parse_network(p, packet);
  if (!network.ok) return pass(p, network.reason);
  const Parsed transport = parse_transport(p, packet);
  if (!transport.ok) return pass(p, transport.reason);
  ReferenceConnection* connection = find_connection(p, packet);
  const bool reused = connection && is_reused(p, packet, *connection);
  const Outcome outcome =
      connection && !reused ? balance_known(p, packet, *connection) : balance_new(p, packet, reused);
  return conclude(p, packet, outcome);
}

}  // namespace
}  // namespace penstock::bench

extern "C" {

PEN_SECTION("xdp") int reference_xdp(xdp_md* context) {
  penstock::bench::ReferencePlatform platform(context);
  return static_cast<int>(penstock::bench::balance_reference(platform));
}

PEN_SECTION("license") char reference_license[] = "Dual MIT/GPL";
}
