#include "doctor/facts_test_world.hpp"

namespace penstock::doctor {
namespace {

const RuleCase cases[] = {
    {Fault::penstockd_not_running, "no_daemon", direct_director,
     [](Facts& facts) { facts.director->is_running = false; }, "penstockd does not run"},
    {Fault::pins_missing, "no_pins", direct_director,
     [](Facts& facts) {
       facts.director->pins = "/sys/fs/bpf/penstock/7";
       facts.director->has_pins = false;
     },
     "/sys/fs/bpf/penstock/7"},
    {Fault::not_attached, "attached_to_another_interface", direct_director,
     [](Facts& facts) { facts.director->attached = {{"eth1", "native"}}; }, "not attached to eth0"},
    {Fault::not_attached, "attached_to_nothing_and_the_VIP_routed_here", direct_director,
     [](Facts& facts) {
       facts.director->services = {service("198.51.100.1", {"172.16.0.32"}, model::Method::direct)};
       facts.director->attached.clear();
     },
     "requests for 198.51.100.1 arrive"},
    {Fault::not_attached, "attached_below_a_vlan", direct_director,
     [](Facts& facts) {
       facts.interfaces[1].parent = eth1;
       facts.director->attached = {{"eth1", "native"}};
     },
     ""},
    {Fault::not_attached, "interface_that_is_down_is_waited_for", direct_director,
     [](Facts& facts) {
       facts.interfaces[1].is_up = false;
       facts.director->attached.clear();
     },
     ""},
    {Fault::packet_path_gone, "xdp_program_gone", direct_director,
     [](Facts& facts) { facts.interfaces[1].xdp = XdpMode::none; }, "taken off eth0"},
    {Fault::packet_path_gone, "filter_gone", direct_director,
     [](Facts& facts) {
       facts.director->attached = {{"eth0", "tc"}};
       facts.interfaces[1].filters = {"other:[3]"};
     },
     "(tc)"},
    {Fault::packet_path_gone, "filter_among_others", direct_director,
     [](Facts& facts) {
       facts.director->attached = {{"eth0", "tc"}};
       facts.interfaces[1].filters = {"other:[3]", "penstock_tc:[4]"};
     },
     ""},
    {Fault::generic_xdp, "generic", direct_director,
     [](Facts& facts) { facts.director->attached = {{"eth0", "generic"}}; }, "generic XDP on eth0"},
    {Fault::xdp_frames_lost, "frames_lost_now", direct_director,
     [](Facts& facts) {
       facts.interfaces[1].xdp_sent = {1000, 1000};
       facts.interfaces[1].xdp_lost = {5, 12};
     },
     "12 so far"},
    {Fault::xdp_frames_lost, "no_frame_ever_sent", direct_director,
     [](Facts& facts) { facts.interfaces[1].xdp_lost = {5, 5}; }, "5 so far"},
    {Fault::xdp_frames_lost, "frames_lost_once", direct_director,
     [](Facts& facts) {
       facts.interfaces[1].xdp_sent = {1000, 1001};
       facts.interfaces[1].xdp_lost = {5, 5};
     },
     ""},
    {Fault::checksums_owed, "owed_to_xdp", direct_director,
     [](Facts& facts) { facts.interfaces[1].owes_checksums = true; }, "Frames reach eth0"},
    {Fault::checksums_owed, "owed_to_tc", direct_director,
     [](Facts& facts) {
       facts.interfaces[1].owes_checksums = true;
       facts.director->attached = {{"eth0", "tc"}};
     },
     ""},
    {Fault::lro_on, "lro", direct_director, [](Facts& facts) { facts.interfaces[1].has_lro = true; }, "at eth0"},
    {Fault::lro_on, "lro_of_another_interface", direct_director,
     [](Facts& facts) { facts.interfaces[2].has_lro = true; }, ""},
    {Fault::interface_down, "down", direct_director, [](Facts& facts) { facts.interfaces[1].is_up = false; },
     "eth0 is down"},
    {Fault::interface_down, "no_carrier", nat_director, [](Facts& facts) { facts.interfaces[2].has_carrier = false; },
     "eth1 has no carrier"},
    {Fault::interface_down, "one_that_nothing_needs", direct_director,
     [](Facts& facts) { facts.interfaces[2].is_up = false; }, ""},
};

INSTANTIATE_TEST_SUITE_P(PacketPath, RuleTest, testing::ValuesIn(cases), name_of_case);

}  // namespace
}  // namespace penstock::doctor
