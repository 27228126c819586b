#include "doctor/facts_test_world.hpp"

namespace penstock::doctor {
namespace {

constexpr std::uint32_t tunl0 = 9;

void put_vip_on(Facts& facts, std::uint32_t interface, std::uint8_t prefix_length = 32) {
  facts.addresses[0] = {interface, at("172.16.0.40"), prefix_length};
}

// What the kernel's own tunnel devices look like, instead of a BPF program.
void use_device(Facts& facts, const char* kind, int rp_filter) {
  facts.interfaces[1].xdp = XdpMode::none;
  facts.interfaces.push_back({.index = tunl0, .name = "tunl0", .kind = kind, .is_up = true, .rp_filter = rp_filter});
}

const RuleCase cases[] = {
    {Fault::vip_missing, "missing", direct_server, [](Facts& facts) { facts.addresses.erase(facts.addresses.begin()); },
     "172.16.0.40"},
    {Fault::vip_missing, "on_a_tunnel_device", tunnel_server,
     [](Facts& facts) {
       use_device(facts, "ipip", 0);
       put_vip_on(facts, tunl0);
     },
     ""},
    {Fault::vip_missing, "of_nat", nat_server, [](Facts& facts) { facts.real_server->vips = {at("172.16.0.40")}; }, ""},
    {Fault::vip_on_link, "on_the_link", direct_server, [](Facts& facts) { put_vip_on(facts, eth0); },
     "172.16.0.40 is on eth0"},
    {Fault::vip_on_link, "on_another_link", tunnel_server, [](Facts& facts) { put_vip_on(facts, eth1); }, "on eth1"},
    {Fault::vip_on_link, "on_a_dummy", direct_server,
     [](Facts& facts) {
       facts.interfaces[2].asks_neighbours = false;
       put_vip_on(facts, eth1);
     },
     ""},
    {Fault::vip_prefix_too_short, "networks_prefix", direct_server, [](Facts& facts) { put_vip_on(facts, lo, 16); },
     "172.16.0.40/16 on lo"},
    {Fault::vip_prefix_too_short, "ipv6_networks_prefix", direct_server,
     [](Facts& facts) { facts.addresses[1].prefix_length = 127; }, "fd00:ac10::40/127"},
    {Fault::vip_prefix_too_short, "networks_prefix_on_the_link", direct_server,
     [](Facts& facts) { put_vip_on(facts, eth0, 16); }, ""},
    {Fault::arp_not_silent, "on_one_interface", direct_server, [](Facts& facts) { facts.interfaces[2].arp_ignore = 0; },
     "answers ARP for 172.16.0.40 on eth1"},
    {Fault::arp_not_silent, "on_two", direct_server,
     [](Facts& facts) {
       facts.interfaces[1].arp_ignore = 0;
       facts.interfaces[2].arp_ignore = 3;
     },
     "on eth0, eth1"},
    {Fault::arp_not_silent, "on_lo_only", direct_server, [](Facts& facts) { facts.interfaces[0].arp_ignore = 0; }, ""},
    {Fault::arp_not_silent, "a_tunnels_server_elsewhere", tunnel_server,
     [](Facts& facts) { facts.interfaces[1].arp_ignore = 0; }, ""},
    {Fault::arp_not_silent, "ipv6_alone", direct_server,
     [](Facts& facts) {
       facts.real_server->vips = {at("fd00:ac10::40")};
       facts.interfaces[1].arp_ignore = 0;
     },
     ""},
    {Fault::arp_announces_vip, "with_1", direct_server, [](Facts& facts) { facts.interfaces[1].arp_announce = 1; },
     "in the name of 172.16.0.40 on eth0"},
    {Fault::arp_announces_vip, "on_an_interface_that_is_down", direct_server,
     [](Facts& facts) {
       facts.interfaces[1].arp_announce = 0;
       facts.interfaces[1].is_up = false;
     },
     ""},
    {Fault::gateway_not_director, "another_router", nat_server,
     [](Facts& facts) { facts.ways[0].gateway = at("10.0.0.254"); }, "go by 10.0.0.254, not by the director 10.0.0.1"},
    {Fault::gateway_not_director, "client_in_the_same_network", nat_server,
     [](Facts& facts) { facts.ways[0].gateway.reset(); }, "directly on eth0"},
    {Fault::gateway_not_director, "of_direct", direct_server, [](Facts&) {}, ""},
    {Fault::no_way_to_clients, "nat", nat_server, [](Facts& facts) { facts.ways[0].kind = Way::Kind::none; },
     "203.0.113.1"},
    {Fault::no_way_to_clients, "tunnel_of_ipv6", tunnel_server,
     [](Facts& facts) { facts.ways[1].kind = Way::Kind::none; }, "2001:db8::1"},
    {Fault::no_way_to_clients, "direct_with_clients_beside_it", direct_server,
     [](Facts& facts) { facts.ways[1].kind = Way::Kind::none; }, ""},
    {Fault::no_way_to_clients, "direct_with_clients_named", direct_server,
     [](Facts& facts) {
       facts.ways[1].kind = Way::Kind::none;
       facts.clients_are_named = true;
     },
     "203.0.113.1"},
    {Fault::rp_filter_drops_requests, "strict_and_asymmetric", direct_server,
     [](Facts& facts) {
       facts.interfaces[1].rp_filter = 1;
       facts.ways[1].interface = eth1;
     },
     "Strict rp_filter on eth0"},
    {Fault::rp_filter_drops_requests, "strict_and_symmetric", direct_server,
     [](Facts& facts) { facts.interfaces[1].rp_filter = 1; }, ""},
    {Fault::rp_filter_drops_requests, "strict_on_a_tunnel_device", tunnel_server,
     [](Facts& facts) { use_device(facts, "ipip", 1); }, "Strict rp_filter on tunl0"},
    {Fault::rp_filter_drops_requests, "loose_on_a_tunnel_device", tunnel_server,
     [](Facts& facts) { use_device(facts, "ipip", 2); }, ""},
    {Fault::rp_filter_drops_requests, "strict_where_bpf_ends_the_tunnel_and_clients_are", tunnel_server,
     [](Facts& facts) { facts.interfaces[1].rp_filter = 1; }, ""},
    {Fault::decapsulation_missing, "nothing", tunnel_server,
     [](Facts& facts) { facts.interfaces[1].xdp = XdpMode::none; }, "takes the outer headers off"},
    {Fault::decapsulation_missing, "a_device", tunnel_server, [](Facts& facts) { use_device(facts, "gre", 0); }, ""},
    {Fault::decapsulation_missing, "a_device_that_is_down", tunnel_server,
     [](Facts& facts) {
       use_device(facts, "ipip", 0);
       facts.interfaces.back().is_up = false;
     },
     "no tunnel device is up"},
    {Fault::firewall_drops_vip, "drops_the_VIP", direct_server,
     [](Facts& facts) { facts.firewall = {{"ip filter INPUT", model::parse_prefix("172.16.0.40").value(), true}}; },
     "chain ip filter INPUT drops packets to 172.16.0.40"},
    {Fault::firewall_drops_vip, "drops_everything_else", direct_server,
     [](Facts& facts) { facts.firewall = {{"ip filter INPUT", model::parse_prefix("0.0.0.0/0").value(), true}}; }, ""},
};

INSTANTIATE_TEST_SUITE_P(RealServer, RuleTest, testing::ValuesIn(cases), name_of_case);

}  // namespace
}  // namespace penstock::doctor
