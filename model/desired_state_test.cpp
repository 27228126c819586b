#include "model/desired_state.hpp"

#include <gtest/gtest.h>

#include <cerrno>
#include <functional>

namespace penstock::model {
namespace {

Endpoint at(const char* address, std::uint16_t port) { return {*parse_address(address), port}; }

const ServiceKey web{Protocol::tcp, at("192.0.2.1", 80), 0};
const ServiceKey web6{Protocol::tcp, at("2001:db8::1", 80), 0};

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

// One IPv4 and one IPv6 service, .11 and then .12 in the former.
DesiredState usual() {
  DesiredState state;
  EXPECT_TRUE(state.add_service(service(web)));
  EXPECT_TRUE(state.add_service(service(web6)));
  EXPECT_TRUE(state.add_server(web, server("192.0.2.11")));
  EXPECT_TRUE(state.add_server(web, server("192.0.2.12")));
  return state;
}

TEST(desired_state, services_stand_in_order_and_servers_newest_first) {
  DesiredState state = usual();
  ASSERT_TRUE(state.edit_server(web, server("192.0.2.11", 7)));

  ASSERT_EQ(state.services().size(), 2U);
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
  EXPECT_TRUE(state.add_service(service({Protocol::tcp, at("192.0.2.1", 81), 0})));
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

    // Known to IPVS, not possible yet (possible.hpp).
    {"default scheduler", [](auto& s) { return add(s, [](Service& v) { v.scheduler = "wlc"; }); },
     ErrorCode::unsupported, EOPNOTSUPP, "scheduler wlc is not available yet: use rr or wrr"},
    {"edit to another scheduler",
     [](auto& s) { return s.edit_service(with([](Service& v) { v.scheduler = "sh"; }, web)); }, ErrorCode::unsupported,
     EOPNOTSUPP, "scheduler sh"},
    {"mark", [](auto& s) { return add(s, [](Service& v) { v.key = {Protocol::tcp, at("0.0.0.0", 0), 5}; }); },
     ErrorCode::unsupported, EOPNOTSUPP, "adding service fwmark 5: firewall-mark services"},
    {"SCTP", [](auto& s) { return add(s, [](Service& v) { v.key.protocol = Protocol::sctp; }); },
     ErrorCode::unsupported, EOPNOTSUPP, "SCTP"},
    {"persistence", [](auto& s) { return add(s, [](Service& v) { v.flags = service_flag::persistent; }); },
     ErrorCode::unsupported, EOPNOTSUPP, "persistence (-p)"},
    {"one packet", [](auto& s) { return add(s, [](Service& v) { v.flags = service_flag::one_packet; }); },
     ErrorCode::unsupported, EOPNOTSUPP, "one-packet"},
    {"sip", [](auto& s) { return add(s, [](Service& v) { v.persistence_engine = "sip"; }); }, ErrorCode::unsupported,
     EOPNOTSUPP, "engines"},
    {"port 0", [](auto& s) { return add(s, [](Service& v) { v.key.vip.port = 0; }); }, ErrorCode::unsupported,
     EOPNOTSUPP, "port 0"},
    {"nat", [](auto& s) { return add_to_web(s, [](RealServer& v) { v.method = Method::nat; }); },
     ErrorCode::unsupported, EOPNOTSUPP, "masquerading (-m) is not available yet: use direct routing (-g)"},
    {"tunnel", [](auto& s) { return add_to_web(s, [](RealServer& v) { v.method = Method::tunnel; }); },
     ErrorCode::unsupported, EOPNOTSUPP, "tunneling (-i)"},
    {"thresholds", [](auto& s) { return add_to_web(s, [](RealServer& v) { v.upper_threshold = 5; }); },
     ErrorCode::unsupported, EOPNOTSUPP, "thresholds"},
    {"the director itself", [](auto& s) { return s.add_server(web, server("127.0.0.1")); }, ErrorCode::unsupported,
     EOPNOTSUPP, "director itself"},
    {"the director itself, IPv6", [](auto& s) { return s.add_server(web6, server("::1")); }, ErrorCode::unsupported,
     EOPNOTSUPP, "director itself"},
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
