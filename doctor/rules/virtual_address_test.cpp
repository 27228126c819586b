#include "doctor/facts_test_world.hpp"

namespace penstock::doctor {
namespace {

void remove_address(Facts& facts, const char* address) {
  std::erase_if(facts.addresses, [&](const OwnAddress& own) { return own.address == at(address); });
}

void move_to_lo(Facts& facts, const char* address) {
  for (OwnAddress& own : facts.addresses)
    if (own.address == at(address)) own.interface = lo;
}

const RuleCase cases[] = {
    {Fault::vip_not_on_director, "missing", direct_director, [](Facts& facts) { remove_address(facts, "172.16.0.40"); },
     "172.16.0.40"},
    {Fault::vip_not_on_director, "ipv6_missing", direct_director,
     [](Facts& facts) { remove_address(facts, "fd00:ac10::40"); }, "neighbour solicitations"},
    {Fault::vip_not_on_director, "of_a_mark", direct_director,
     [](Facts& facts) {
       remove_address(facts, "172.16.0.40");
       facts.director->services = {{.service = {.key = {.fwmark = 5}}}};
       facts.director->mark_rules = {{.destination = model::make_prefix(at("172.16.0.40"), 32), .mark = 5}};
     },
     "172.16.0.40"},
    {Fault::vip_not_on_director, "routed_here_from_elsewhere", direct_director,
     [](Facts& facts) { facts.director->services = {service("198.51.100.1", {"172.16.0.32"}, model::Method::direct)}; },
     ""},
    {Fault::director_arp_silent, "on_lo_with_1", direct_director,
     [](Facts& facts) {
       move_to_lo(facts, "172.16.0.40");
       facts.interfaces[1].arp_ignore = 1;
     },
     "arp_ignore is 1"},
    {Fault::director_arp_silent, "on_lo_with_0", direct_director,
     [](Facts& facts) { move_to_lo(facts, "172.16.0.40"); }, ""},
    {Fault::director_arp_silent, "on_the_link_with_1", direct_director,
     [](Facts& facts) { facts.interfaces[1].arp_ignore = 1; }, ""},
    {Fault::director_arp_silent, "host_prefix_with_2", direct_director,
     [](Facts& facts) { facts.interfaces[1].arp_ignore = 2; }, "arp_ignore is 2"},
    {Fault::director_arp_silent, "networks_prefix_with_2", direct_director,
     [](Facts& facts) {
       facts.interfaces[1].arp_ignore = 2;
       for (OwnAddress& own : facts.addresses)
         if (own.address == at("172.16.0.40")) own.prefix_length = 16;
     },
     ""},
    {Fault::director_arp_silent, "with_8", direct_director, [](Facts& facts) { facts.interfaces[1].arp_ignore = 8; },
     "arp_ignore is 8"},
    {Fault::vip_answered_twice, "a_real_server_beside_the_director", direct_director,
     [](Facts& facts) { facts.holders[0].macs = {server_mac}; }, "is also answered by 02:00:00:00:00:32 (172.16.0.32)"},
    {Fault::vip_answered_twice, "one_that_the_director_lacks", direct_director,
     [](Facts& facts) {
       remove_address(facts, "172.16.0.40");
       facts.holders[0].macs = {other_mac};
     },
     ""},
    {Fault::vip_answered_twice, "by_two_as_a_real_server_hears", direct_server,
     [](Facts& facts) { facts.holders[1].macs = {director_mac, other_mac}; },
     "fd00:ac10::40 are answered by 02:00:00:00:00:31 and 02:00:00:00:00:99"},
    {Fault::vip_answered_twice, "another_address", direct_director,
     [](Facts& facts) { facts.holders[2].macs = {server_mac, other_mac}; }, ""},
    {Fault::vip_duplicate, "duplicate", direct_director,
     [](Facts& facts) { facts.addresses.back().is_duplicate = true; }, "fd00:ac10::40 on eth0"},
    {Fault::vip_duplicate, "duplicate_of_another_address", direct_director,
     [](Facts& facts) { facts.addresses[3].is_duplicate = true; }, ""},
    {Fault::vip_unanswered, "unanswered", direct_server, [](Facts& facts) { facts.holders[0].macs.clear(); },
     "Nobody on eth0 answers ARP for 172.16.0.40"},
    {Fault::vip_unanswered, "the_directors_own_address", direct_server,
     [](Facts& facts) { facts.holders[2].macs.clear(); }, ""},
    {Fault::vip_not_at_director, "another_host", direct_server,
     [](Facts& facts) { facts.holders[0].macs = {other_mac}; }, "the director 172.16.0.31 is 02:00:00:00:00:31"},
    {Fault::vip_not_at_director, "a_silent_director", direct_server,
     [](Facts& facts) {
       facts.holders[0].macs = {other_mac};
       facts.holders[2].macs.clear();
     },
     ""},
};

INSTANTIATE_TEST_SUITE_P(VirtualAddress, RuleTest, testing::ValuesIn(cases), name_of_case);

}  // namespace
}  // namespace penstock::doctor
