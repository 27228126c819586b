#include "doctor/facts_test_world.hpp"

namespace penstock::doctor {
namespace {

void use(Facts& facts, const char* vip, const char* server, model::Tunnel tunnel, std::uint32_t mtu) {
  facts.director->services = {service(vip, {server}, model::Method::tunnel)};
  facts.director->services[0].servers[0].server.tunnel = tunnel;
  facts.ways = {by_router(server, "172.16.0.1")};
  facts.ways[0].mtu = mtu;
}

using enum model::TunnelType;
using enum model::TunnelChecksum;

const RuleCase cases[] = {
    {Fault::tunnel_too_narrow, "ipv6_in_ipip_one_byte_short", tunnel_director,
     [](Facts& facts) { use(facts, "fd00:ac10::40", "fd00:10::32", {.type = ipip}, 1319); }, "carries 1279 bytes"},
    {Fault::tunnel_too_narrow, "ipv6_in_ipip_just_fits", tunnel_director,
     [](Facts& facts) { use(facts, "fd00:ac10::40", "fd00:10::32", {.type = ipip}, 1320); }, ""},
    {Fault::tunnel_too_narrow, "ipv6_in_gre_with_checksum", tunnel_director,
     [](Facts& facts) { use(facts, "fd00:ac10::40", "fd00:10::32", {.type = gre, .checksum = checksum}, 1327); },
     "1327 less 48"},
    {Fault::tunnel_too_narrow, "ipv6_in_gre_with_checksum_just_fits", tunnel_director,
     [](Facts& facts) { use(facts, "fd00:ac10::40", "fd00:10::32", {.type = gre, .checksum = checksum}, 1328); }, ""},
    {Fault::tunnel_too_narrow, "ipv6_in_gue", tunnel_director,
     [](Facts& facts) { use(facts, "fd00:ac10::40", "fd00:10::32", {.type = gue, .port = 6080}, 1331); },
     "1331 less 52"},
    {Fault::tunnel_too_narrow, "ipv4_in_ipip_one_byte_short", tunnel_director,
     [](Facts& facts) { use(facts, "172.16.0.40", "10.0.0.32", {.type = ipip}, 595); }, "needs 576"},
    {Fault::tunnel_too_narrow, "ipv4_in_ipip_just_fits", tunnel_director,
     [](Facts& facts) { use(facts, "172.16.0.40", "10.0.0.32", {.type = ipip}, 596); }, ""},
    {Fault::tunnel_too_narrow, "interface_is_narrower_than_the_route", tunnel_director,
     [](Facts& facts) {
       use(facts, "172.16.0.40", "10.0.0.32", {.type = gre}, 1500);
       facts.interfaces[1].mtu = 599;
     },
     "599 less 24"},
    {Fault::tunnel_too_big, "grows", tunnel_director,
     [](Facts& facts) { facts.director->reasons = {{"too_big", {1, 3}}, {"to_be_fragmented", {0, 1}}}; }, "3 requests"},
    {Fault::tunnel_too_big, "without_tunnels", nat_director,
     [](Facts& facts) { facts.director->reasons = {{"too_big", {1, 3}}}; }, ""},
    {Fault::tunnel_mss_too_big, "ipv4_not_lowered", tunnel_server,
     [](Facts& facts) { facts.ways[0].advertised_mss = 0; }, "segments of 1460 bytes"},
    {Fault::tunnel_mss_too_big, "ipv4_one_too_many", tunnel_server,
     [](Facts& facts) { facts.ways[0].advertised_mss = 1441; }, "at most 1440"},
    {Fault::tunnel_mss_too_big, "ipv6_one_too_many", tunnel_server,
     [](Facts& facts) { facts.ways[1].advertised_mss = 1401; }, "at most 1400"},
    {Fault::tunnel_mss_too_big, "lowered_by_the_routes_mtu", tunnel_server,
     [](Facts& facts) {
       facts.ways[0].advertised_mss = 0;
       facts.ways[0].mtu = 1480;
     },
     ""},
    {Fault::tunnel_mss_too_big, "clamped_otherwise", tunnel_server,
     [](Facts& facts) {
       facts.ways[0].advertised_mss = 0;
       facts.clamps_mss = true;
     },
     ""},
    {Fault::tunnel_mss_too_big, "of_another_method", direct_server, [](Facts&) {}, ""},
};

INSTANTIATE_TEST_SUITE_P(Tunnel, RuleTest, testing::ValuesIn(cases), name_of_case);

}  // namespace
}  // namespace penstock::doctor
