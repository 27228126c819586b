#include "control/service_program.hpp"

#include "control/images.hpp"

namespace penstock::control {
namespace {

using schedulers::Kind;

ScheduleHead head(SchedulerKind kind, Overhead overhead = Overhead::connections) {
  return {.kind = kind, .overhead = overhead, .overflow = 0, .fallback = 0, .with_port = 0, .zero = {}};
}

ScheduleHead head_of(Kind kind) {
  switch (kind) {
    case Kind::rr:
    case Kind::wrr:
    case Kind::none:
      return head(SchedulerKind::sequence);
    case Kind::lc:
      return head(SchedulerKind::least, Overhead::connections);
    case Kind::wlc:
      return head(SchedulerKind::least, Overhead::weighted_connections);
    case Kind::sed:
      return head(SchedulerKind::least, Overhead::shortest_delay);
    case Kind::nq:
      return head(SchedulerKind::least, Overhead::never_queue);
    case Kind::lblc:
      return head(SchedulerKind::lblc, Overhead::weighted_connections);
    case Kind::lblcr:
      return head(SchedulerKind::lblcr, Overhead::weighted_connections);
    case Kind::twos:
      return head(SchedulerKind::twos, Overhead::weighted_connections);
    case Kind::dh:
      return head(SchedulerKind::destination_hash);
    case Kind::sh:
      return head(SchedulerKind::source_hash);
    case Kind::mh:
      return head(SchedulerKind::maglev);
    case Kind::fo:
    case Kind::ovf:
      return head(SchedulerKind::ranked);
  }
  return head(SchedulerKind::sequence);
}

}  // namespace

RealServer row_of(const model::RealServer& server, u32 next_hop, u16 generation) {
  RealServer row{};
  row.route = {.next_hop = next_hop, .generation = generation, .method = image_of(server.method), .available = 1};
  row.address = image_of(server.endpoint.address);
  row.port = big(server.endpoint.port);
  row.family = image_of(server.endpoint.address.family);
  row.tunnel = static_cast<TunnelType>(server.tunnel.type);
  row.tunnel_port = big(server.tunnel.port);
  row.tunnel_checksum = static_cast<TunnelChecksum>(server.tunnel.checksum);
  return row;
}

ServerTerms terms_of(const model::RealServer& server, s32 last_weight) {
  return {.weight = server.weight,
          .last_weight = server.weight != 0 ? server.weight : last_weight,
          .upper_threshold = server.upper_threshold,
          .lower_threshold = server.lower_threshold};
}

ServiceTerms terms_of(const model::Service& service, u32 ticks_per_second) {
  const bool v4 = service.key.vip.address.family == model::Family::ipv4;
  return {.flags = service.flags & (service_persistent | service_one_packet),
          .persistence_ticks = service.persistence_timeout_s * ticks_per_second,
          .netmask = v4 ? static_cast<u32>(big(service.netmask)) : service.netmask};
}

ScheduleHead head_of(const model::Service& service) {
  const Kind kind = kind_of(service);
  ScheduleHead made = head_of(kind);
  made.overflow = kind == Kind::ovf;
  const bool hashes_source = kind == Kind::sh || kind == Kind::mh;
  made.fallback = hashes_source && (service.flags & model::service_flag::sched_1) != 0;
  made.with_port = hashes_source && (service.flags & model::service_flag::sched_2) != 0;
  return made;
}

std::vector<schedulers::Server> scheduled_servers(const ServiceProgram& program) {
  std::vector<schedulers::Server> servers;
  for (const ProgrammedServer& server : program.servers)
    servers.push_back({.weight = server.terms.weight,
                       .last_weight = server.terms.last_weight,
                       .endpoint = endpoint_of(server.row.address, server.row.family, server.row.port)});
  return servers;
}

schedulers::Kind kind_of(const model::Service& service) {
  return schedulers::kind_of(service.scheduler).value_or(Kind::none);
}

}  // namespace penstock::control
