#include "api/codec.hpp"

#include <gmock/gmock.h>

#include <limits>

namespace penstock::api {
namespace {

using testing::HasSubstr;

model::Endpoint endpoint(const char* address, std::uint16_t port) { return {*model::parse_address(address), port}; }

// Every field differs from its default and from its neighbours, so that a forgotten or exchanged field shows.
model::Service service() {
  return {.key = {.protocol = model::Protocol::udp, .vip = endpoint("2001:db8::1", 53), .fwmark = 7},
          .scheduler = "wrr",
          .flags = model::service_flag::persistent | model::service_flag::sched_3,
          .persistence_timeout_s = 360,
          .netmask = 0xffffff00,
          .persistence_engine = "sip"};
}

model::RealServer server() {
  return {.endpoint = endpoint("192.0.2.9", 65535),
          .method = model::Method::tunnel,
          .weight = std::numeric_limits<std::int32_t>::max(),
          .upper_threshold = 20,
          .lower_threshold = 10,
          .tunnel = {.type = model::TunnelType::gue, .port = 6080, .checksum = model::TunnelChecksum::remote_checksum}};
}

model::MarkRule rule() {
  return {.family = model::Family::ipv6,
          .protocol = model::Protocol::sctp,
          .source = *model::parse_prefix("2001:db8:1::/48"),
          .destination = *model::parse_prefix("2001:db8::/32"),
          .source_ports = {{1024, 65535}},
          .destination_ports = {{80, 80}, {8000, 8080}},
          .mark = 4294967295U};
}

ServiceView service_view() {
  constexpr Statistics large{std::numeric_limits<std::uint64_t>::max(), 2, 3, 4, 5};
  return {.service = service(),
          .statistics = large,
          .rates = {6, 7, 8, 9, 10},
          .servers = {{.server = server(),
                       .active = 11,
                       .inactive = 12,
                       .persistent = 13,
                       .statistics = {14, 15, 16, 17, 18},
                       .rates = {19, 20, 21, 22, 23}},
                      {}}};
}

TEST(RequestCodec, carries_every_field_of_a_service) {
  const auto request = decode_request(encode_request(EditService{service()}));
  ASSERT_TRUE(request) << request.error().message;
  ASSERT_TRUE(std::holds_alternative<EditService>(*request));
  EXPECT_EQ(std::get<EditService>(*request).service, service());
}

TEST(RequestCodec, carries_every_field_of_a_server) {
  const auto request = decode_request(encode_request(AddServer{service().key, server()}));
  ASSERT_TRUE(request) << request.error().message;
  ASSERT_TRUE(std::holds_alternative<AddServer>(*request));
  EXPECT_EQ(std::get<AddServer>(*request).key, service().key);
  EXPECT_EQ(std::get<AddServer>(*request).server, server());
}

TEST(RequestCodec, tells_all_requests_apart) {
  const Request requests[] = {AddService{service()},
                              EditService{service()},
                              DeleteService{service().key},
                              Flush{},
                              AddServer{service().key, server()},
                              EditServer{service().key, server()},
                              DeleteServer{service().key, server().endpoint},
                              Zero{},
                              Zero{service().key},
                              ListServices{},
                              GetService{service().key},
                              ListConnections{},
                              GetTimeouts{},
                              SetTimeouts{{1, 2, 3}},
                              GetInfo{},
                              ListReasons{},
                              ListSettings{},
                              SetSetting{{"sloppy_tcp", "1"}},
                              ListMarkRules{},
                              AddMarkRule{rule()},
                              AddMarkRule{},
                              DeleteMarkRule{rule()},
                              ListLocalAddresses{},
                              AddLocalAddress{server().endpoint.address},
                              DeleteLocalAddress{service().key.vip.address}};
  for (const Request& request : requests) {
    const std::string text = encode_request(request);
    const auto decoded = decode_request(text);
    ASSERT_TRUE(decoded) << text << decoded.error().message;
    EXPECT_EQ(decoded->index(), request.index()) << text;
    EXPECT_EQ(encode_request(*decoded), text);
  }
}

TEST(RequestCodec, carries_every_field_of_a_mark_rule_and_leaves_out_no_protocol) {
  const auto request = decode_request(encode_request(AddMarkRule{rule()}));
  ASSERT_TRUE(request) << request.error().message;
  EXPECT_EQ(std::get<AddMarkRule>(*request).rule, rule());
  const auto of_anything = decode_request(encode_request(DeleteMarkRule{}));
  ASSERT_TRUE(of_anything) << of_anything.error().message;
  EXPECT_EQ(std::get<DeleteMarkRule>(*of_anything).rule, model::MarkRule{});
}

TEST(RequestCodec, carries_the_method_that_ipvs_does_not_have) {
  model::RealServer full = server();
  full.method = model::Method::fullnat;
  const auto request = decode_request(encode_request(AddServer{service().key, full}));
  ASSERT_TRUE(request) << request.error().message;
  EXPECT_EQ(std::get<AddServer>(*request).server, full);
}

TEST(RequestCodec, zero_of_everything_is_not_zero_of_one_service) {
  const auto all = decode_request(encode_request(Zero{}));
  const auto one = decode_request(encode_request(Zero{service().key}));
  ASSERT_TRUE(all && one);
  EXPECT_FALSE(std::get<Zero>(*all).key.has_value());
  EXPECT_EQ(std::get<Zero>(*one).key, service().key);
}

TEST(ReplyCodec, carries_every_field_of_a_service_view) {
  const auto reply = decode_reply(encode_reply(service_view()));
  ASSERT_TRUE(reply) << reply.error().message;
  const auto& got = std::get<ServiceView>(*reply);
  const ServiceView want = service_view();
  EXPECT_EQ(got.service, want.service);
  EXPECT_EQ(got.statistics, want.statistics);
  EXPECT_EQ(got.rates, want.rates);
  ASSERT_EQ(got.servers.size(), 2U);
  EXPECT_EQ(got.servers[0].server, want.servers[0].server);
  EXPECT_EQ(got.servers[0].active, 11U);
  EXPECT_EQ(got.servers[0].inactive, 12U);
  EXPECT_EQ(got.servers[0].persistent, 13U);
  EXPECT_EQ(got.servers[0].statistics, want.servers[0].statistics);
  EXPECT_EQ(got.servers[0].rates, want.servers[0].rates);
  EXPECT_EQ(got.servers[1].server, model::RealServer{});
}

TEST(ReplyCodec, carries_connections) {
  const std::vector<ConnectionView> connections = {{.protocol = ConnectionProtocol::esp,
                                                    .is_template = true,
                                                    .client = endpoint("198.51.100.7", 40000),
                                                    .vip = endpoint("2001:db8::1", 53),
                                                    .server = endpoint("10.0.0.2", 5353),
                                                    .state = "UDP",
                                                    .expires_s = 299}};
  const auto reply = decode_reply(encode_reply(connections));
  ASSERT_TRUE(reply) << reply.error().message;
  const auto& got = std::get<std::vector<ConnectionView>>(*reply);
  ASSERT_EQ(got.size(), 1U);
  EXPECT_EQ(got[0].protocol, ConnectionProtocol::esp);
  EXPECT_TRUE(got[0].is_template);
  EXPECT_EQ(got[0].client, connections[0].client);
  EXPECT_EQ(got[0].vip, connections[0].vip);
  EXPECT_EQ(got[0].server, connections[0].server);
  EXPECT_EQ(got[0].state, "UDP");
  EXPECT_EQ(got[0].expires_s, 299U);
}

TEST(ReplyCodec, carries_settings_rules_and_addresses) {
  const std::vector<Setting> settings = {{"am_droprate", "10"}, {"sync_threshold", "3\t50"}};
  const auto listed = decode_reply(encode_reply(settings));
  ASSERT_TRUE(listed) << listed.error().message;
  EXPECT_EQ(std::get<std::vector<Setting>>(*listed), settings);

  const std::vector<model::MarkRule> rules = {rule(), {}};
  const auto ordered = decode_reply(encode_reply(rules));
  ASSERT_TRUE(ordered) << ordered.error().message;
  EXPECT_EQ(std::get<std::vector<model::MarkRule>>(*ordered), rules);

  const std::vector<model::Address> addresses = {*model::parse_address("10.0.0.1"), *model::parse_address("fd00::1")};
  const auto pool = decode_reply(encode_reply(addresses));
  ASSERT_TRUE(pool) << pool.error().message;
  EXPECT_EQ(std::get<std::vector<model::Address>>(*pool), addresses);
}

TEST(ReplyCodec, carries_errors_and_small_values) {
  const auto error = decode_reply(encode_reply(Error{ErrorCode::exhausted, "table \"full\"\n", 28}));
  ASSERT_TRUE(error) << error.error().message;
  EXPECT_EQ(std::get<Error>(*error).code, ErrorCode::exhausted);
  EXPECT_EQ(std::get<Error>(*error).message, "table \"full\"\n");
  EXPECT_EQ(std::get<Error>(*error).errno_value, 28);

  const auto timeouts = decode_reply(encode_reply(Timeouts{900, 120, 300}));
  ASSERT_TRUE(timeouts);
  EXPECT_EQ(std::get<Timeouts>(*timeouts), (Timeouts{900, 120, 300}));

  const auto info = decode_reply(encode_reply(Info{
      .connection_buckets = 131072, .connections_max = 1048576, .interfaces = {{"eth0", "native"}, {"eth1", "tc"}}}));
  ASSERT_TRUE(info);
  EXPECT_EQ(std::get<Info>(*info).connection_buckets, 131072U);
  EXPECT_EQ(std::get<Info>(*info).connections_max, 1048576U);
  EXPECT_EQ(std::get<Info>(*info).interfaces, (std::vector<InterfaceView>{{"eth0", "native"}, {"eth1", "tc"}}));

  const auto reasons = decode_reply(encode_reply(std::vector<Counter>{{"too_big", 5}, {"stateless", 0, true}}));
  ASSERT_TRUE(reasons);
  const auto& counters = std::get<std::vector<Counter>>(*reasons);
  ASSERT_EQ(counters.size(), 2U);
  EXPECT_EQ(counters[0].name, "too_big");
  EXPECT_EQ(counters[0].packets, 5U);
  EXPECT_FALSE(counters[0].is_remark);
  EXPECT_TRUE(counters[1].is_remark);
}

TEST(ReplyCodec, survives_text_that_is_not_utf8) {
  const auto reply = decode_reply(encode_reply(Error{ErrorCode::io, "opening /tmp/\xff\xfe", 2}));
  ASSERT_TRUE(reply) << reply.error().message;
  EXPECT_THAT(std::get<Error>(*reply).message, HasSubstr("opening /tmp/"));
}

struct Refusal {
  const char* name;
  std::string text;
  const char* sentence;
  ErrorCode code = ErrorCode::protocol;
};

std::string with(std::string text, std::string_view from, std::string_view to) {
  const auto at = text.find(from);
  EXPECT_NE(at, std::string::npos) << from << " is not in " << text;
  return at == std::string::npos ? text : text.replace(at, from.size(), to);
}

TEST(RequestCodec, refuses_what_it_does_not_know_and_says_what) {
  const std::string set = encode_request(SetTimeouts{{1, 2, 3}});
  const std::string add = encode_request(AddService{service()});
  const std::string mark = encode_request(AddMarkRule{rule()});
  const Refusal refusals[] = {
      {"empty", "", "not JSON"},
      {"half", set.substr(0, set.size() - 1), "not JSON"},
      {"two texts", set + set, "not JSON"},
      {"array", "[]", "expected an object"},
      {"no version", R"({"say":"flush","value":{}})", "\"penstock\""},
      {"other version", with(set, R"("penstock":2)", R"("penstock":3)"), "version 3", ErrorCode::unsupported},
      {"unknown request", with(set, "set_timeouts", "reboot"), "\"reboot\" is not a word"},
      {"reply as request", with(set, "set_timeouts", "done"), "\"done\" is not a word"},
      {"envelope with more", with(set, R"("penstock":2)", R"("penstock":2,"more":0)"), "exactly the fields"},
      {"missing field", with(set, R"("udp_s")", R"("udp")"), "timeouts: field \"udp_s\" is missing"},
      {"unknown field", with(set, R"("udp_s":3)", R"("udp_s":3,"sctp_s":4)"),
       "timeouts: has fields that are not known"},
      {"field of an empty request", R"({"penstock":2,"say":"flush","value":{"now":true}})", "flush: has fields"},
      {"string for number", with(set, R"("udp_s":3)", R"("udp_s":"3")"), "udp_s: expected an integer"},
      {"fraction", with(set, R"("udp_s":3)", R"("udp_s":3.5)"), "udp_s: expected an integer"},
      {"bool for number", with(set, R"("udp_s":3)", R"("udp_s":true)"), "udp_s: expected an integer"},
      {"negative", with(set, R"("udp_s":3)", R"("udp_s":-1)"), "from 0 to 4294967295: -1"},
      {"2^32", with(set, R"("udp_s":3)", R"("udp_s":4294967296)"), "from 0 to 4294967295"},
      {"2^64", with(set, R"("udp_s":3)", R"("udp_s":18446744073709551616)"), "expected an integer"},
      {"null", with(set, R"("udp_s":3)", R"("udp_s":null)"), "expected an integer"},
      {"port 65536", with(add, R"("port":53)", R"("port":65536)"),
       "service.key.vip.port: expected an integer from 0 to 65535"},
      {"address", with(add, "2001:db8::1", "2001:db8::g"), "expected an IP address"},
      {"address with NUL", with(add, "2001:db8::1", "2001:db8::1\\u0000"), "expected an IP address"},
      {"protocol", with(add, "\"udp\"", "\"icmp\""), "protocol: not one of the known words: \"icmp\""},
      {"prefix", with(mark, "db8::/32", "db8::/129"), "rule.destination: expected a block of addresses"},
      {"prefix with NUL", with(mark, "db8::/32", "db8::/32\\u0000"), "expected a block of addresses"},
      {"port range", with(mark, R"("last":8080)", R"("last":80800)"), "destination_ports[].last: expected an integer"},
      {"family", with(mark, "\"ipv6\"", "6"), "family: not one of the known words: 6"},
      {"object for string", with(add, "\"wrr\"", "{}"), "scheduler: expected a string"},
      {"string for object", R"({"penstock":2,"say":"add_service","value":{"service":"x"}})",
       "expected an object: \"x\""},
      {"not utf-8", with(add, "wrr", "w\xffr"), "not JSON"},
  };
  for (const auto& [name, text, sentence, code] : refusals) {
    const auto request = decode_request(text);
    ASSERT_FALSE(request) << name;
    EXPECT_EQ(request.error().code, code) << name;
    EXPECT_THAT(request.error().message, HasSubstr(sentence)) << name;
  }
}

TEST(RequestCodec, error_about_a_huge_value_stays_a_sentence) {
  const auto request = decode_request(R"({"penstock":2,"say":")" + std::string(50000, 'x') + R"(","value":{}})");
  ASSERT_FALSE(request);
  EXPECT_LT(request.error().message.size(), 200U);
}

TEST(RequestCodec, deep_nesting_is_refused) {
  const auto request = decode_request(std::string(60000, '['));
  EXPECT_FALSE(request);
  const auto value = decode_request(R"({"penstock":2,"say":"flush","value":)" + std::string(30000, '[') +
                                    std::string(30000, ']') + "}");
  ASSERT_FALSE(value);
  EXPECT_EQ(value.error().message, "nested more than 32 deep");
}

TEST(RequestCodec, every_truncation_is_refused) {
  const std::string text = encode_request(AddServer{service().key, server()});
  for (std::size_t length = 0; length < text.size(); ++length)
    EXPECT_FALSE(decode_request(std::string_view(text).substr(0, length))) << length;
}

}  // namespace
}  // namespace penstock::api
