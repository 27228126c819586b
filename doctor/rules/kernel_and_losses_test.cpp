#include "doctor/facts_test_world.hpp"

namespace penstock::doctor {
namespace {

FirewallRule drop(const char* destination) {
  return {.chain = "ip filter INPUT", .destination = model::parse_prefix(destination).value(), .drops = true};
}

const RuleCase cases[] = {
    {Fault::ip_forward_off, "packets_dropped", nat_director, [](Facts& facts) { facts.unforwarded_ipv4 = {5, 8}; },
     "dropped 3 IPv4 packets"},
    {Fault::ip_forward_off, "dropped_while_it_is_on", nat_director,
     [](Facts& facts) {
       facts.unforwarded_ipv4 = {5, 8};
       facts.forwards_ipv4 = true;
     },
     ""},
    {Fault::ip_forward_off, "nothing_dropped_now", nat_director, [](Facts& facts) { facts.unforwarded_ipv4 = {8, 8}; },
     ""},
    {Fault::ip_forward_off, "without_nat_servers", direct_director,
     [](Facts& facts) { facts.unforwarded_ipv4 = {5, 8}; }, ""},
    {Fault::ip_forward_off, "without_nat_servers_of_the_family", nat_director,
     [](Facts& facts) { facts.unforwarded_ipv6 = {5, 8}; }, ""},
    {Fault::rp_filter_on_director, "strict_and_asymmetric", direct_director,
     [](Facts& facts) {
       facts.interfaces[1].rp_filter = 1;
       facts.ways[2].interface = eth1;
     },
     "Strict rp_filter on eth0"},
    {Fault::rp_filter_on_director, "strict_and_symmetric", direct_director,
     [](Facts& facts) { facts.interfaces[1].rp_filter = 1; }, ""},
    {Fault::rp_filter_on_director, "loose_and_asymmetric", direct_director,
     [](Facts& facts) {
       facts.interfaces[1].rp_filter = 2;
       facts.ways[2].interface = eth1;
     },
     ""},
    {Fault::firewall_bypassed, "drops_the_VIP", direct_director,
     [](Facts& facts) { facts.firewall = {drop("172.16.0.40/32")}; }, "chain ip filter INPUT"},
    {Fault::firewall_bypassed, "drops_the_VIPs_network", direct_director,
     [](Facts& facts) { facts.firewall = {drop("172.16.0.0/16")}; }, "172.16.0.0/16"},
    {Fault::firewall_bypassed, "drops_another_address", direct_director,
     [](Facts& facts) { facts.firewall = {drop("172.16.0.41/32")}; }, ""},
    {Fault::firewall_bypassed, "accepts_the_VIP", direct_director,
     [](Facts& facts) {
       facts.firewall = {drop("172.16.0.40/32")};
       facts.firewall[0].drops = false;
     },
     ""},
    {Fault::local_address_unanswered, "nobody_has_it", fullnat_director,
     [](Facts& facts) { facts.director->local_addresses = {at("172.16.0.77")}; }, "172.16.0.77"},
    {Fault::local_address_unanswered, "the_director_has_it", fullnat_director,
     [](Facts& facts) {
       facts.director->local_addresses = {at("172.16.0.77")};
       facts.addresses.push_back({eth0, at("172.16.0.77"), 32});
     },
     ""},
    {Fault::local_address_taken, "another_host_has_it", fullnat_director,
     [](Facts& facts) {
       facts.director->local_addresses = {at("172.16.0.77")};
       facts.holders.push_back({eth0, at("172.16.0.77"), {other_mac}});
     },
     "02:00:00:00:00:99"},
    {Fault::local_address_taken, "nobody_answers", fullnat_director,
     [](Facts& facts) {
       facts.director->local_addresses = {at("172.16.0.77")};
       facts.holders.push_back({eth0, at("172.16.0.77"), {}});
     },
     ""},
    {Fault::local_ports_exhausted, "ports_grows", fullnat_director,
     [](Facts& facts) { facts.director->reasons = {{"local_ports_exhausted", {1, 4}}}; }, "3 packets"},
    {Fault::local_ports_exhausted, "ports_stands", fullnat_director,
     [](Facts& facts) { facts.director->reasons = {{"local_ports_exhausted", {4, 4}}}; }, ""},
    {Fault::connection_table_full, "table_grows", direct_director,
     [](Facts& facts) { facts.director->reasons = {{"connection_table_full", {1, 2}}, {"stateless", {10, 14}}}; },
     "of 1000 connections is full: 5 packets"},
    {Fault::connection_table_full, "table_stands", direct_director,
     [](Facts& facts) { facts.director->reasons = {{"stateless", {14, 14}}}; }, ""},
    {Fault::packets_lost, "loss_grows", direct_director,
     [](Facts& facts) { facts.director->reasons = {{"punt_full", {0, 2}}}; }, "2 packets were counted as punt_full"},
    {Fault::packets_lost, "as_clients_cause_it", direct_director,
     [](Facts& facts) { facts.director->reasons = {{"ttl_exceeded", {0, 2}}}; }, ""},
};

INSTANTIATE_TEST_SUITE_P(Kernel, RuleTest, testing::ValuesIn(cases), name_of_case);

}  // namespace
}  // namespace penstock::doctor
