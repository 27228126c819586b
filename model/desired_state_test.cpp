#include "model/desired_state.hpp"

#include <gtest/gtest.h>

#include <cerrno>
#include <functional>

namespace penstock::model {
namespace {

Endpoint at(const char* address, std::uint16_t port) { return {*parse_address(address), port}; }

const ServiceKey web{Protocol::tcp, at("192.0.2.1", 80), 0};
const ServiceKey web6{Protocol::tcp, at("2001:db8::1", 80), 0};
const ServiceKey tunneled{Protocol::tcp, at("192.0.2.1", 81), 0};  // of IPv4, with an IPv6 server
const ServiceKey every_port{Protocol::tcp, at("192.0.2.4", 0), 0};

Service service(const ServiceKey& key) {
  Service made;
  made.key = key;
  made.scheduler = "rr";
  if (key.vip.address.family == Family::ipv6) made.netmask = 128;
  return made;
}

RealServer server(const char* address, std::int32_t weight = 1) {
  RealServer made;
  made.endpoint = at(address, 80);
  made.weight = weight;
  return made;
}

RealServer made_by(const char* address, Method method) {
  RealServer made = server(address);
  made.method = method;
  return made;
}

MarkRule marked(std::uint32_t mark) {
  MarkRule rule;
  rule.protocol = Protocol::tcp;
  rule.mark = mark;
  return rule;
}

// One IPv4 and one IPv6 service, .11 and then .12 in the former; and something of everything else.
DesiredState usual() {
  DesiredState state;
  EXPECT_TRUE(state.add_service(service(web)));
  EXPECT_TRUE(state.add_service(service(web6)));
  EXPECT_TRUE(state.add_server(web, server("192.0.2.11")));
  EXPECT_TRUE(state.add_server(web, server("192.0.2.12")));
  EXPECT_TRUE(state.add_service(service(tunneled)));
  EXPECT_TRUE(state.add_server(tunneled, made_by("2001:db8::77", Method::tunnel)));
  Service persistent = service(every_port);
  persistent.flags = service_flag::persistent;
  EXPECT_TRUE(state.add_service(persistent));
  EXPECT_TRUE(state.add_local_address(*parse_address("192.0.2.254")));
  EXPECT_TRUE(state.add_server(web6, made_by("192.0.2.64", Method::fullnat)));
  EXPECT_TRUE(state.add_mark_rule(marked(1)));
  return state;
}

TEST(desired_state, services_stand_in_order_and_servers_newest_first) {
  DesiredState state = usual();
  ASSERT_TRUE(state.edit_server(web, server("192.0.2.11", 7)));

  ASSERT_EQ(state.services().size(), 4U);
  EXPECT_EQ(state.services()[0].service.key, web);
  const auto& servers = state.services()[0].servers;
  ASSERT_EQ(servers.size(), 2U);
  EXPECT_EQ(servers[0].endpoint, at("192.0.2.12", 80));
  EXPECT_EQ(servers[1].endpoint, at("192.0.2.11", 80));
  EXPECT_EQ(servers[1].weight, 7) << "editing does not move";
}

TEST(desired_state, editing_a_service_keeps_its_servers) {
  DesiredState state = usual();
  Service edited = service(web);
  edited.scheduler = "wrr";
  ASSERT_TRUE(state.edit_service(edited));
  EXPECT_EQ(state.find(web)->service.scheduler, "wrr");
  EXPECT_EQ(state.find(web)->servers.size(), 2U);
}

TEST(desired_state, deleting_leaves_the_others) {
  DesiredState state = usual();
  ASSERT_TRUE(state.delete_server(web, at("192.0.2.12", 80)));
  ASSERT_EQ(state.find(web)->servers.size(), 1U);
  EXPECT_EQ(state.find(web)->servers[0].endpoint, at("192.0.2.11", 80));
  ASSERT_TRUE(state.delete_service(web));
  EXPECT_EQ(state.find(web), nullptr);
  EXPECT_NE(state.find(web6), nullptr);
  state.flush();
  EXPECT_TRUE(state.services().empty());
}

TEST(desired_state, port_and_protocol_make_another_service) {
  DesiredState state = usual();
  EXPECT_TRUE(state.add_service(service({Protocol::udp, at("192.0.2.1", 80), 0})));
  EXPECT_TRUE(state.add_service(service({Protocol::sctp, at("192.0.2.1", 80), 0})));
  EXPECT_TRUE(state.add_service(service({Protocol::tcp, at("192.0.2.1", 82), 0})));
  EXPECT_TRUE(state.add_service(service({Protocol::tcp, at("0.0.0.0", 0), 5})));
}

struct Refusal {
  const char* name;
  std::function<Result<void>(DesiredState&)> command;
  ErrorCode code;
  int errno_value;
  const char* says;  // part of the message
};

Service with(const std::function<void(Service&)>& change,
             const ServiceKey& key = {Protocol::tcp, at("192.0.2.2", 80), 0}) {
  Service made = service(key);
  change(made);
  return made;
}

RealServer with(const std::function<void(RealServer&)>& change) {
  RealServer made = server("192.0.2.13");
  change(made);
  return made;
}

Result<void> add(DesiredState& state, const std::function<void(Service&)>& change) {
  return state.add_service(with(change));
}
Result<void> add_to_web(DesiredState& state, const std::function<void(RealServer&)>& change) {
  return state.add_server(web, with(change));
}

const ServiceKey none{Protocol::tcp, at("192.0.2.9", 80), 0};

const Refusal refusals[] = {
    {"same service", [](auto& s) { return s.add_service(service(web)); }, ErrorCode::already_exists, EEXIST,
     "adding service tcp 192.0.2.1:80: it exists already"},
    {"edit no service", [](auto& s) { return s.edit_service(service(none)); }, ErrorCode::not_found, ESRCH,
     "no such service"},
    {"delete no service", [](auto& s) { return s.delete_service(none); }, ErrorCode::not_found, ESRCH,
     "no such service"},
    {"add server, no service", [](auto& s) { return s.add_server(none, server("192.0.2.11")); }, ErrorCode::not_found,
     ESRCH, "no such service"},
    {"edit server, no service", [](auto& s) { return s.edit_server(none, server("192.0.2.11")); }, ErrorCode::not_found,
     ESRCH, "no such service"},
    {"delete server, no service", [](auto& s) { return s.delete_server(none, at("192.0.2.11", 80)); },
     ErrorCode::not_found, ESRCH, "no such service"},
    {"same server", [](auto& s) { return s.add_server(web, server("192.0.2.11")); }, ErrorCode::already_exists, EEXIST,
     "adding server 192.0.2.11:80 of service tcp 192.0.2.1:80"},
    {"edit no server", [](auto& s) { return s.edit_server(web, server("192.0.2.13")); }, ErrorCode::not_found, ENOENT,
     "no such server"},
    {"delete no server", [](auto& s) { return s.delete_server(web, at("192.0.2.11", 81)); }, ErrorCode::not_found,
     ENOENT, "no such server"},

    {"unknown scheduler", [](auto& s) { return add(s, [](Service& v) { v.scheduler = "nosuch"; }); },
     ErrorCode::not_found, ENOENT, "no scheduler nosuch"},
    {"unknown engine", [](auto& s) { return add(s, [](Service& v) { v.persistence_engine = "nosuch"; }); },
     ErrorCode::not_found, ENOENT, "no persistence engine nosuch"},
    {"IPv6 prefix 0",
     [](auto& s) {
       return s.add_service(with([](Service& v) { v.netmask = 0; }, {Protocol::udp, at("2001:db8::1", 80), 0}));
     },
     ErrorCode::invalid_argument, EINVAL, "1 to 128"},
    {"IPv6 prefix 129",
     [](auto& s) {
       return s.add_service(with([](Service& v) { v.netmask = 129; }, {Protocol::udp, at("2001:db8::1", 80), 0}));
     },
     ErrorCode::invalid_argument, EINVAL, "1 to 128"},

    {"weight below 0", [](auto& s) { return add_to_web(s, [](RealServer& v) { v.weight = -1; }); },
     ErrorCode::out_of_range, ERANGE, "weight"},
    {"edit to a weight below 0", [](auto& s) { return s.edit_server(web, server("192.0.2.11", -1)); },
     ErrorCode::out_of_range, ERANGE, "weight"},
    {"lower above upper", [](auto& s) { return add_to_web(s, [](RealServer& v) { v.lower_threshold = 1; }); },
     ErrorCode::out_of_range, ERANGE, "lower threshold"},
    {"upper above INT_MAX",
     [](auto& s) { return add_to_web(s, [](RealServer& v) { v.upper_threshold = 0x80000000U; }); },
     ErrorCode::invalid_argument, EINVAL, "upper threshold"},
    {"the other family", [](auto& s) { return s.add_server(web6, server("192.0.2.11")); }, ErrorCode::invalid_argument,
     EINVAL, "needs a tunnel"},
    {"multicast", [](auto& s) { return s.add_server(web, server("224.0.0.1")); }, ErrorCode::invalid_argument, EINVAL,
     "unicast"},
    {"broadcast", [](auto& s) { return s.add_server(web, server("255.255.255.255")); }, ErrorCode::invalid_argument,
     EINVAL, "unicast"},
    {"no address", [](auto& s) { return s.add_server(web, server("0.0.0.0")); }, ErrorCode::invalid_argument, EINVAL,
     "unicast"},
    {"IPv6 multicast", [](auto& s) { return s.add_server(web6, server("ff02::1")); }, ErrorCode::invalid_argument,
     EINVAL, "unicast"},
    {"IPv6 link-local", [](auto& s) { return s.add_server(web6, server("fe80::1")); }, ErrorCode::invalid_argument,
     EINVAL, "unicast"},
    {"IPv6 unspecified", [](auto& s) { return s.add_server(web6, server("::")); }, ErrorCode::invalid_argument, EINVAL,
     "unicast"},

    {"port 0 without persistence", [](auto& s) { return add(s, [](Service& v) { v.key.vip.port = 0; }); },
     ErrorCode::invalid_argument, EINVAL, "port 0, every port, needs persistence"},
    {"edit persistence of port 0 away",
     [](auto& s) { return s.edit_service(with([](Service& v) { v.flags = 0; }, every_port)); },
     ErrorCode::invalid_argument, EINVAL, "needs persistence"},
    {"sip", [](auto& s) { return add(s, [](Service& v) { v.persistence_engine = "sip"; }); }, ErrorCode::unsupported,
     EOPNOTSUPP, "the persistence engine sip is not available yet"},
    {"GUE without a port",
     [](auto& s) { return add_to_web(s, [](RealServer& v) { v.tunnel.type = TunnelType::gue; }); },
     ErrorCode::invalid_argument, EINVAL, "a GUE tunnel needs a port"},
    {"nat to the other family", [](auto& s) { return s.add_server(web6, made_by("192.0.2.11", Method::nat)); },
     ErrorCode::invalid_argument, EINVAL, "needs a tunnel, or fullnat from IPv6 to IPv4"},

    // What IPVS does not know has no errno.
    {"fullnat without a local address",
     [](auto& s) { return s.add_server(web6, made_by("2001:db8::11", Method::fullnat)); }, ErrorCode::invalid_argument,
     0, "fullnat needs a local IPv6 address of the director: add one with penstock local add"},
    {"edit to fullnat without a local address of the server's family",
     [](auto& s) { return s.edit_server(tunneled, made_by("2001:db8::77", Method::fullnat)); },
     ErrorCode::invalid_argument, 0, "fullnat does not lead from an IPv4 service to an IPv6 server"},

    {"same local address", [](auto& s) { return s.add_local_address(*parse_address("192.0.2.254")); },
     ErrorCode::already_exists, EEXIST, "adding local address 192.0.2.254: it exists already"},
    {"local multicast", [](auto& s) { return s.add_local_address(*parse_address("224.0.0.1")); },
     ErrorCode::invalid_argument, EINVAL, "not an address that real servers could answer to"},
    {"local loopback", [](auto& s) { return s.add_local_address(*parse_address("::1")); }, ErrorCode::invalid_argument,
     EINVAL, "not an address that real servers could answer to"},
    {"delete no local address", [](auto& s) { return s.delete_local_address(*parse_address("192.0.2.253")); },
     ErrorCode::not_found, ENOENT, "no such local address"},
    {"delete the last local address", [](auto& s) { return s.delete_local_address(*parse_address("192.0.2.254")); },
     ErrorCode::busy, EBUSY, "it is the last one of IPv4, and fullnat servers need it"},

    {"same mark rule", [](auto& s) { return s.add_mark_rule(marked(1)); }, ErrorCode::already_exists, EEXIST,
     "adding mark rule 1 --protocol tcp: it exists already"},
    {"mark rule with ports of nothing",
     [](auto& s) {
       MarkRule rule = marked(2);
       rule.protocol.reset();
       rule.source_ports = {{1, 2}};
       return s.add_mark_rule(rule);
     },
     ErrorCode::invalid_argument, EINVAL, "adding mark rule 2 --source-ports 1:2: ports need a protocol"},
    {"delete no mark rule", [](auto& s) { return s.delete_mark_rule(marked(2)); }, ErrorCode::not_found, ENOENT,
     "deleting mark rule 2 --protocol tcp: no such rule"},
    {"no such setting", [](auto& s) { return s.set_setting("sloppy_udp", "1"); }, ErrorCode::not_found, ENOENT,
     "no setting is called \"sloppy_udp\""},
    {"a setting out of bounds", [](auto& s) { return s.set_setting("secure_tcp", "4"); }, ErrorCode::invalid_argument,
     EINVAL, "setting secure_tcp to \"4\": a number from 0 to 3 is expected"},
};

TEST(desired_state, refuses_with_the_errno_of_ipvs_and_changes_nothing) {
  for (const Refusal& refusal : refusals) {
    SCOPED_TRACE(refusal.name);
    DesiredState state = usual();
    const auto answer = refusal.command(state);
    ASSERT_FALSE(answer);
    EXPECT_EQ(answer.error().code, refusal.code);
    EXPECT_EQ(answer.error().errno_value, refusal.errno_value);
    EXPECT_NE(answer.error().message.find(refusal.says), std::string::npos) << answer.error().message;
    EXPECT_EQ(state, usual());
  }
}

TEST(desired_state, takes_every_method_scheduler_and_server_of_ipvs) {
  for (const char* scheduler :
       {"rr", "wrr", "lc", "wlc", "lblc", "lblcr", "dh", "sh", "mh", "sed", "nq", "fo", "ovf", "twos", "none"}) {
    DesiredState state = usual();
    EXPECT_TRUE(add(state, [&](Service& v) { v.scheduler = scheduler; })) << scheduler;
  }
  DesiredState state = usual();
  EXPECT_TRUE(state.add_server(web, made_by("127.0.0.1", Method::direct))) << "the director itself";
  EXPECT_TRUE(state.add_server(web6, made_by("::1", Method::nat)));
  EXPECT_TRUE(state.add_server(web, made_by("192.0.2.21", Method::nat)));
  EXPECT_TRUE(state.add_server(web, made_by("192.0.2.22", Method::fullnat)));
  EXPECT_TRUE(state.add_server(web6, made_by("192.0.2.23", Method::tunnel)));
  EXPECT_TRUE(add_to_web(state, [](RealServer& v) { v.tunnel = {TunnelType::gue, 6080, TunnelChecksum::none}; }));
  EXPECT_TRUE(state.edit_server(web, with([](RealServer& v) { v.upper_threshold = v.lower_threshold = 0x7fffffff; })));
  EXPECT_TRUE(add(state, [](Service& v) {
    v.flags = service_flag::persistent | service_flag::one_packet;
    v.persistence_timeout_s = 300;
    v.netmask = 0;
  }));
}

TEST(desired_state, keeps_rules_addresses_and_settings_when_services_go) {
  DesiredState state = usual();
  ASSERT_TRUE(state.set_setting("sloppy_tcp", "1"));
  state.flush();
  EXPECT_EQ(state.mark_rules(), (std::vector{marked(1)}));
  EXPECT_EQ(state.settings(), (Settings{{"sloppy_tcp", "1"}}));
  EXPECT_EQ(state.local_addresses(), (std::vector{*parse_address("192.0.2.254")}));
  EXPECT_TRUE(state.delete_local_address(*parse_address("192.0.2.254"))) << "nobody needs it any more";
}

TEST(desired_state, mark_rules_stand_in_order_up_to_their_limit) {
  DesiredState state;
  for (std::uint32_t mark = 0; mark < mark_rules_max; ++mark) ASSERT_TRUE(state.add_mark_rule(marked(mark)));
  const auto refused = state.add_mark_rule(marked(1000));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().errno_value, ENOSPC);
  EXPECT_NE(refused.error().message.find("there are 64 already"), std::string::npos);
  ASSERT_TRUE(state.delete_mark_rule(marked(3)));
  ASSERT_TRUE(state.add_mark_rule(marked(3)));
  EXPECT_EQ(state.mark_rules().back(), marked(3));
  EXPECT_EQ(state.mark_rules()[3], marked(4));
  state.clear_mark_rules();
  EXPECT_TRUE(state.mark_rules().empty());
}

TEST(desired_state, has_room_for_255_local_addresses) {
  DesiredState state;
  Address address = *parse_address("192.0.2.0");
  for (std::size_t i = 1; i <= local_addresses_max; ++i) {
    address.bytes[3] = static_cast<std::uint8_t>(i);
    ASSERT_TRUE(state.add_local_address(address));
  }
  EXPECT_EQ(state.add_local_address(*parse_address("192.0.3.1")).error().errno_value, ENOSPC);
}

TEST(desired_state, takes_what_stands_just_inside_the_border) {
  DesiredState state = usual();
  EXPECT_TRUE(add_to_web(state, [](RealServer& v) { v.weight = 0; }));
  EXPECT_TRUE(state.edit_server(web, server("192.0.2.13", 0x7fffffff)));
  EXPECT_TRUE(state.add_server(web, server("223.255.255.255")));
  EXPECT_TRUE(state.add_server(web6, server("fec0::1")));
  EXPECT_TRUE(add(state, [](Service& v) { v.flags = service_flag::sched_1; }))
      << "rr ignores scheduler flags, as in IPVS";
  EXPECT_TRUE(state.add_service(with([](Service& v) { v.netmask = 1; }, {Protocol::udp, at("2001:db8::1", 80), 0})));
}

}  // namespace
}  // namespace penstock::model
