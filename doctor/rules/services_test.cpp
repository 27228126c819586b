#include "doctor/facts_test_world.hpp"

namespace penstock::doctor {
namespace {

api::ServiceView marked(std::uint32_t mark, model::Family family = model::Family::ipv4) {
  api::ServiceView view = service("0.0.0.0", {"172.16.0.32"}, model::Method::direct, 0);
  view.service.key = {.vip = {{.family = family}, 0}, .fwmark = mark};
  return view;
}

const RuleCase cases[] = {
    {Fault::service_without_servers, "no_servers", direct_director,
     [](Facts& facts) { facts.director->services[0].servers.clear(); }, "tcp 172.16.0.40:80"},
    {Fault::service_quiesced, "all_quiesced", direct_director,
     [](Facts& facts) { facts.director->services[0].servers[0].server.weight = 0; }, "tcp 172.16.0.40:80"},
    {Fault::service_quiesced, "one_of_two_quiesced", direct_director,
     [](Facts& facts) {
       facts.director->services[0] = service("172.16.0.40", {"172.16.0.32", "172.16.0.33"}, model::Method::direct);
       facts.director->services[0].servers[0].server.weight = 0;
     },
     ""},
    {Fault::service_quiesced, "no_servers_at_all", direct_director,
     [](Facts& facts) { facts.director->services[0].servers.clear(); }, ""},
    {Fault::port_mapping_ignored, "by_direct", direct_director,
     [](Facts& facts) { facts.director->services[0].servers[0].server.endpoint.port = 8080; }, "172.16.0.32:8080"},
    {Fault::port_mapping_ignored, "by_a_tunnel", tunnel_director,
     [](Facts& facts) { facts.director->services[0].servers[0].server.endpoint.port = 81; },
     "A tunnel changes no ports"},
    {Fault::port_mapping_ignored, "of_a_mark", direct_director,
     [](Facts& facts) {
       facts.director->services = {marked(5)};
       facts.director->services[0].servers[0].server.endpoint.port = 8080;
     },
     "service fwmark 5"},
    {Fault::port_mapping_ignored, "of_a_mark_without_a_port", direct_director,
     [](Facts& facts) { facts.director->services = {marked(5)}; }, ""},
    {Fault::port_mapping_ignored, "by_nat", nat_director,
     [](Facts& facts) { facts.director->services[0].servers[0].server.endpoint.port = 81; }, ""},
    {Fault::mark_without_rule, "no_rule", direct_director,
     [](Facts& facts) { facts.director->services.push_back(marked(5)); }, "mark 5"},
    {Fault::mark_without_rule, "a_rule_of_the_other_family", direct_director,
     [](Facts& facts) {
       facts.director->services.push_back(marked(5, model::Family::ipv6));
       facts.director->mark_rules = {{.family = model::Family::ipv4, .mark = 5}};
     },
     "fwmark 5 ipv6"},
    {Fault::mark_without_rule, "with_a_rule", direct_director,
     [](Facts& facts) {
       facts.director->services.push_back(marked(5));
       facts.director->mark_rules = {{.family = model::Family::ipv4, .mark = 5}};
     },
     ""},
};

INSTANTIATE_TEST_SUITE_P(Services, RuleTest, testing::ValuesIn(cases), name_of_case);

}  // namespace
}  // namespace penstock::doctor
