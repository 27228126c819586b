#include "control/service_program.hpp"

#include "control/images.hpp"
#include "control/writer_test_world.hpp"

namespace penstock::control {
namespace {

namespace flag = model::service_flag;

const model::ServiceKey web = tcp("192.0.2.1", 80);
const model::ServiceKey web6 = tcp("2001:db8::1", 80);

TEST(service_program, every_scheduler_is_read_in_its_way) {
  struct Case {
    const char* scheduler;
    SchedulerKind kind;
    Overhead overhead;
    bool overflow;
  };
  const Case cases[] = {
      {"rr", SchedulerKind::sequence, Overhead::connections, false},
      {"wrr", SchedulerKind::sequence, Overhead::connections, false},
      {"none", SchedulerKind::sequence, Overhead::connections, false},
      {"lc", SchedulerKind::least, Overhead::connections, false},
      {"wlc", SchedulerKind::least, Overhead::weighted_connections, false},
      {"sed", SchedulerKind::least, Overhead::shortest_delay, false},
      {"nq", SchedulerKind::least, Overhead::never_queue, false},
      {"twos", SchedulerKind::twos, Overhead::weighted_connections, false},
      {"lblc", SchedulerKind::lblc, Overhead::weighted_connections, false},
      {"lblcr", SchedulerKind::lblcr, Overhead::weighted_connections, false},
      {"dh", SchedulerKind::destination_hash, Overhead::connections, false},
      {"sh", SchedulerKind::source_hash, Overhead::connections, false},
      {"mh", SchedulerKind::maglev, Overhead::connections, false},
      {"fo", SchedulerKind::ranked, Overhead::connections, false},
      {"ovf", SchedulerKind::ranked, Overhead::connections, true},
  };
  for (const Case& each : cases) {
    SCOPED_TRACE(each.scheduler);
    ASSERT_TRUE(model::DesiredState{}.add_service(service(web, each.scheduler)));
    const ScheduleHead head = head_of(service(web, each.scheduler));
    EXPECT_EQ(head.kind, each.kind);
    EXPECT_EQ(head.overhead, each.overhead);
    EXPECT_EQ(head.overflow, each.overflow ? 1 : 0);
    EXPECT_EQ(head.fallback, 0);
    EXPECT_EQ(head.with_port, 0);
  }
}

// IPVS: IP_VS_SVC_F_SCHED_SH_FALLBACK, _SH_PORT and the same of mh.
TEST(service_program, the_hashes_of_sources_know_a_fallback_and_ports_others_know_no_flags) {
  for (const char* scheduler : {"sh", "mh"}) {
    model::Service with = service(web, scheduler);
    with.flags = flag::sched_1;
    EXPECT_EQ(head_of(with).fallback, 1) << scheduler;
    EXPECT_EQ(head_of(with).with_port, 0) << scheduler;
    with.flags = flag::sched_2;
    EXPECT_EQ(head_of(with).fallback, 0) << scheduler;
    EXPECT_EQ(head_of(with).with_port, 1) << scheduler;
  }
  for (const char* scheduler : {"rr", "wlc", "dh", "ovf"}) {
    model::Service with = service(web, scheduler);
    with.flags = flag::sched_1 | flag::sched_2 | flag::sched_3;
    EXPECT_EQ(head_of(with).fallback, 0) << scheduler;
    EXPECT_EQ(head_of(with).with_port, 0) << scheduler;
  }
}

TEST(service_program, a_services_terms_are_in_ticks_and_as_on_the_wire) {
  model::Service with = service(web, "sh");
  with.flags = flag::persistent | flag::one_packet | flag::sched_1 | flag::sched_3;
  with.persistence_timeout_s = 360;
  with.netmask = 0xffffff00;
  const ServiceTerms terms = terms_of(with, 250);
  EXPECT_EQ(terms.flags, service_persistent | service_one_packet) << "the scheduler's stand in its head";
  EXPECT_EQ(terms.persistence_ticks, 90'000U);
  EXPECT_EQ(terms.netmask, 0x00ffffffU) << "255.255.255.0, as in memory";
  model::Service with6 = service(web6);
  with6.netmask = 64;
  EXPECT_EQ(terms_of(with6, 250).netmask, 64U) << "a prefix length";
  EXPECT_EQ(terms_of(with6, 250).flags, 0U);
}

// IPVS: ip_vs_dest.last_weight.
TEST(service_program, the_last_weight_is_the_last_that_was_not_zero) {
  model::RealServer limited = server("10.0.0.1", 5);
  limited.upper_threshold = 20;
  limited.lower_threshold = 10;
  EXPECT_EQ(terms_of(limited, 3),
            (ServerTerms{.weight = 5, .last_weight = 5, .upper_threshold = 20, .lower_threshold = 10}));
  limited.weight = 0;
  EXPECT_EQ(terms_of(limited, 5).last_weight, 5);
  EXPECT_EQ(terms_of(limited, 5).weight, 0);
  EXPECT_EQ(terms_of(limited, 0).last_weight, 0) << "a new one of weight 0";
}

TEST(service_program, a_servers_row_holds_all_of_its_tunnel) {
  model::RealServer tunneled = server("10.0.0.2");
  tunneled.method = model::Method::tunnel;
  tunneled.tunnel = {model::TunnelType::gue, 6080, model::TunnelChecksum::remote_checksum};
  const RealServer row = row_of(tunneled, 7, 0xffff);
  EXPECT_EQ(row.route.next_hop, 7U);
  EXPECT_EQ(row.route.generation, 0xffff);
  EXPECT_EQ(row.route.method, Method::tunnel);
  EXPECT_EQ(row.route.available, 1);
  EXPECT_EQ(row.tunnel, TunnelType::gue);
  EXPECT_EQ(row.tunnel_port, big(u16{6080}));
  EXPECT_EQ(row.tunnel_checksum, TunnelChecksum::remote_checksum);
  EXPECT_EQ(endpoint_of(row.address, row.family, row.port), at("10.0.0.2", 80));
}

TEST(service_program, every_method_keeps_its_number) {
  const std::pair<model::Method, Method> methods[] = {{model::Method::nat, Method::nat},
                                                      {model::Method::local, Method::local},
                                                      {model::Method::tunnel, Method::tunnel},
                                                      {model::Method::direct, Method::direct},
                                                      {model::Method::fullnat, Method::fullnat}};
  for (const auto& [named, written] : methods) {
    model::RealServer by = server("10.0.0.2");
    by.method = named;
    EXPECT_EQ(row_of(by, 1, 1).route.method, written);
  }
}

TEST(service_program, schedulers_see_weights_last_weights_and_addresses) {
  ServiceProgram program;
  program.servers.push_back(
      {.slot = 4, .row = row_of(server("10.0.0.4", 0), 1, 1), .terms = terms_of(server("10.0.0.4", 0), 9)});
  program.servers.push_back(
      {.slot = 3, .row = row_of(server("2001:db8::3", 2), 1, 1), .terms = {.weight = 2, .last_weight = 2}});
  const auto servers = scheduled_servers(program);
  ASSERT_EQ(servers.size(), 2U);
  EXPECT_EQ(servers[0].weight, 0);
  EXPECT_EQ(servers[0].last_weight, 9);
  EXPECT_EQ(servers[0].endpoint, at("10.0.0.4", 80));
  EXPECT_EQ(servers[1].weight, 2);
  EXPECT_EQ(servers[1].endpoint, at("2001:db8::3", 80));
}

}  // namespace
}  // namespace penstock::control
