#include "doctor/facts_test_world.hpp"

namespace penstock::doctor {
namespace {

const RuleCase cases[] = {
    {Fault::server_without_route, "no_route", direct_director,
     [](Facts& facts) { facts.ways[0].kind = Way::Kind::none; }, "172.16.0.32"},
    {Fault::server_without_route, "the_director_itself", direct_director,
     [](Facts& facts) { facts.ways[0].kind = Way::Kind::local; }, ""},
    {Fault::server_behind_router, "of_a_director", direct_director,
     [](Facts& facts) { facts.ways[0].gateway = at("172.16.0.1"); },
     "Real server 172.16.0.32 is behind router 172.16.0.1"},
    {Fault::server_behind_router, "of_a_real_server", direct_server,
     [](Facts& facts) { facts.ways[0].gateway = at("172.16.0.1"); }, "The director 172.16.0.31"},
    {Fault::server_behind_router, "a_tunnels", tunnel_director, [](Facts&) {}, ""},
    {Fault::next_hop_unresolved, "server_unknown", direct_director,
     [](Facts& facts) {
       facts.neighbours[0].mac.reset();
       facts.holders[2].macs.clear();
     },
     "Nobody on eth0 answers for real server 172.16.0.32"},
    {Fault::next_hop_unresolved, "silent_but_remembered", direct_director,
     [](Facts& facts) { facts.holders[2].macs.clear(); }, "172.16.0.32"},
    {Fault::next_hop_unresolved, "answers_but_not_remembered", direct_director,
     [](Facts& facts) { facts.neighbours.clear(); }, ""},
    {Fault::next_hop_unresolved, "silent_and_set_by_hand", direct_director,
     [](Facts& facts) {
       facts.holders[2].macs.clear();
       facts.neighbours[0].is_permanent = true;
     },
     ""},
    {Fault::next_hop_unresolved, "not_asked_and_unknown", direct_director,
     [](Facts& facts) {
       facts.holders.clear();
       facts.neighbours.erase(facts.neighbours.begin());
     },
     "172.16.0.32"},
    {Fault::next_hop_unresolved, "router_silent", tunnel_director, [](Facts& facts) { facts.holders[1].macs.clear(); },
     "172.16.0.1, the router to real server 10.0.0.32"},
    {Fault::next_hop_unresolved, "by_a_link_without_neighbours", direct_director,
     [](Facts& facts) {
       facts.holders.clear();
       facts.neighbours.clear();
       facts.interfaces[1].asks_neighbours = false;
     },
     ""},
    {Fault::server_refuses, "refused", direct_director,
     [](Facts& facts) { facts.attempts[0].greeting = Greeting::refused; }, "172.16.0.32:80 refuses"},
    {Fault::server_refuses, "only_silent", direct_director,
     [](Facts& facts) { facts.attempts[0].greeting = Greeting::silent; }, ""},
    {Fault::server_silent, "silent", direct_director,
     [](Facts& facts) { facts.attempts[0].greeting = Greeting::silent; }, "172.16.0.32:80"},
    {Fault::server_silent, "silent_as_it_may_be", direct_director,
     [](Facts& facts) {
       facts.attempts[0].greeting = Greeting::silent;
       facts.attempts[0].must_answer = false;
     },
     ""},
    {Fault::server_silent, "silent_since_it_is_not_there", direct_director,
     [](Facts& facts) {
       facts.attempts[0].greeting = Greeting::silent;
       facts.holders[2].macs.clear();
     },
     ""},
    {Fault::nat_in_one_network, "in_the_VIPs_network", direct_director,
     [](Facts& facts) { facts.director->services[0].servers[0].server.method = model::Method::nat; },
     "nat server 172.16.0.32 is in the network of 172.16.0.40"},
    {Fault::nat_in_one_network, "VIP_routed_here", nat_director,
     [](Facts& facts) { facts.director->services[0].service.key.vip.address = at("198.51.100.1"); }, ""},
    {Fault::loopback_server, "loopback", nat_director,
     [](Facts& facts) { facts.director->services[0].servers[0].server.endpoint.address = at("127.0.0.1"); },
     "127.0.0.1:8080"},
    {Fault::loopback_server, "of_another_method", direct_director,
     [](Facts& facts) { facts.director->services[0].servers[0].server.endpoint.address = at("127.0.0.1"); }, ""},
};

INSTANTIATE_TEST_SUITE_P(Reach, RuleTest, testing::ValuesIn(cases), name_of_case);

}  // namespace
}  // namespace penstock::doctor
