// The obvious design, to measure Penstock's against: a director for direct servers on the kernel's own hash maps. Parsing,
// states, timeouts, TTL and MAC rewriting are Penstock's own code, and so are the arrays of servers and next hops; what differs:
//   connections  BPF_MAP_TYPE_HASH, preallocated, under Penstock's 40-byte FlowKey; looked up first
//   services     BPF_MAP_TYPE_HASH
//   counters     BPF_MAP_TYPE_PERCPU_ARRAY
//   not for us   no filter of addresses: known when both look-ups failed
//   steps        none: one program, and only what direct forwarding needs
// Expired connections count as absent when they are met. What Penstock would answer or hand over, it drops.
#include "bench/reference_records.hpp"
#include "datapath/bpf/xdp_platform.hpp"
#include "datapath/core/classify.hpp"
#include "datapath/core/connection.hpp"
#include "datapath/core/forward_direct.hpp"
#include "datapath/core/parse.hpp"

namespace penstock::bench {
namespace {

PEN_INLINE void* find(void* map, const void* key) {
  return reinterpret_cast<void* (*)(void*, const void*)>(1)(map, key);
}

PEN_INLINE bool put(void* map, const void* key, const void* value) {
  return reinterpret_cast<long (*)(void*, const void*, const void*, u64)>(2)(map, key, value, BPF_ANY) == 0;
}

}  // namespace
}  // namespace penstock::bench

extern "C" {

PEN_SECTION(".rodata.config") const volatile penstock::Config config{};

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

PEN_INLINE ReferenceConnection* find_connection(P& p, const Packet& packet) {
  auto* connection = static_cast<ReferenceConnection*>(find(&::ref_flows, &packet.key));
  return connection && !is_past(connection->expires, p.now()) ? connection : nullptr;
}

PEN_INLINE bool is_reused(P& p, const Packet& packet, const ReferenceConnection& connection) {
  if (!is_tcp(packet.key) || packet.event != static_cast<u8>(TcpEvent::syn)) return false;
  const Settings* settings = p.settings();
  if (!settings || settings->conn_reuse_mode == 0) return false;
  return connection.state == static_cast<u8>(TcpState::time_wait) ||
         connection.state == static_cast<u8>(TcpState::close);
}

// A plain store, but only when there is something new: the line of a busy connection stays clean for a while, as in Penstock.
PEN_INLINE void track(P& p, const Packet& packet, ReferenceConnection& connection) {
  const Settings* settings = p.settings();
  if (!settings) return;
  const u32 state = connection.state & 0xfU;
  const Standing standing = next_standing(*settings, packet, state, Direction::input_only);
  const u32 expires = p.now() + standing.timeout;
  if (standing.state == state && expires - connection.expires <= settings->ticks_per_second / refreshes_per_second)
    return;
  connection.state = static_cast<u8>(standing.state);
  connection.expires = expires;
  const bool active = is_active(packet.key, standing.state);
  if (is_active(packet.key, state) == active) return;
  if (ServerLoad* load = p.load(connection.server)) move_load(load, active);
}

PEN_INLINE Next forward_known(P& p, Work& work, ReferenceConnection& connection) {
  const RealServer* server = p.server(connection.server);
  if (!server) return drop(p, Reason::bug);
  const ServerRoute route = route_of(server);
  if (!route.available || route.generation != connection.generation) return drop(p, Reason::server_removed);
  track(p, work.packet, connection);
  count_in(p, work.packet, connection.server);
  return forward_direct(p, work, connection.server, route.next_hop);
}

// Round robin.
PEN_INLINE u32 next_server(P& p, const ScheduleRef& schedule) {
  u64* cursor = p.schedule_cell(schedule.offset);
  if (!cursor || schedule.size == 0) return no_slot;
  const u32 turn = static_cast<u32>(fetch_add(cursor, 1) % schedule.size);
  const u64* cell = p.schedule_cell(schedule.offset + schedule_header_cells + turn);
  return cell ? static_cast<u32>(load_acquire(cell)) : no_slot;
}

PEN_INLINE Next begin_connection(P& p, Work& work, const ScheduleRef& schedule) {
  const Packet& packet = work.packet;
  const u32 slot = next_server(p, schedule);
  const RealServer* server = p.server(slot);
  ServerLoad* load = p.load(slot);
  const Settings* settings = p.settings();
  if (!server || !load || !settings || !is_eligible(load)) return drop(p, Reason::no_destination);
  const ServerRoute route = route_of(server);
  const Standing standing = next_standing(*settings, packet, 0, Direction::input_only);
  const ReferenceConnection connection{.expires = p.now() + standing.timeout,
                                       .server = slot,
                                       .generation = route.generation,
                                       .state = static_cast<u8>(standing.state),
                                       .method = static_cast<u8>(route.method),
                                       .zero = 0};
  if (!put(&::ref_flows, &packet.key, &connection)) return drop(p, Reason::connection_table_full);
  bind_load(load, is_active(packet.key, standing.state));
  count_connection(p, slot);
  count_in(p, packet, slot);
  return forward_direct(p, work, slot, route.next_hop);
}

PEN_INLINE Next take_new(P& p, Work& work) {
  const Packet& packet = work.packet;
  const ServiceKey key = service_key(packet.key, packet.key.vip_port);
  const auto* schedule = static_cast<const ScheduleRef*>(find(&::ref_services, &key));
  if (!schedule) return pass(p, Reason::pass_no_service);
  if (!has_unicast_source(packet.key)) return pass(p, Reason::pass_malformed);
  if (packet.key.family == Family::ipv4 && !is_ipv4_header_intact(p)) return pass(p, Reason::pass_malformed);
  if (!may_begin_connection(p, packet)) return pass(p, Reason::pass_no_connection);
  return begin_connection(p, work, *schedule);
}

PEN_INLINE Next balance_reference(P& p) {
  Work* work = p.work();
  if (!work) return pass(p, Reason::bug);
  work->packet = {};
  const Parsed network = parse_network(p, work->packet);
  if (!network.ok) return pass(p, network.reason);
  if (is_fragment(work->packet)) return pass(p, Reason::pass_protocol);
  const Parsed transport = parse_transport(p, work->packet);
  if (!transport.ok) return pass(p, transport.reason);
  ReferenceConnection* connection = find_connection(p, work->packet);
  const bool known = connection && !is_reused(p, work->packet, *connection);
  const Next verdict = known ? forward_known(p, *work, *connection) : take_new(p, *work);
  return is_final(verdict) ? verdict : Next::drop;
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
