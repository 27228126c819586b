#include "agent/plan.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "agent/bpf/mss.hpp"

namespace penstock::agent {
namespace {

using model::Address;
using model::Method;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

Address address(const char* text) { return *model::parse_address(text); }

const Facts host{.interfaces = {{.name = "lo", .kind = "", .is_up = true},
                                {.name = "eth0", .kind = "", .is_up = true, .is_ethernet = true},
                                {.name = "veth1", .kind = "veth", .is_up = true, .is_ethernet = true},
                                {.name = "eth2", .kind = "", .is_up = false, .is_ethernet = true},
                                {.name = "port3", .kind = "", .is_up = true, .is_ethernet = true, .is_enslaved = true},
                                {.name = "wg0", .kind = "wireguard", .is_up = true, .is_ethernet = false}},
                 .own_addresses = {address("10.0.0.32")},
                 .without_xdp = {}};

Options options_for(std::set<Method> methods, std::vector<const char*> vips) {
  Options options{.action = Options::Action::start, .methods = std::move(methods)};
  for (const char* vip : vips) options.vips.push_back(address(vip));
  return options;
}

// "sysctl net.ipv4.conf.all.arp_ignore 1"
std::vector<std::string> lines_of(const Result<Plan>& plan) {
  std::vector<std::string> lines;
  EXPECT_TRUE(plan) << plan.error().message;
  if (!plan) return lines;
  for (const Wanted& wanted : plan->settings)
    lines.push_back(std::string(word_of(wanted.setting.kind)) + " " + wanted.setting.name + " " + wanted.value);
  return lines;
}

TEST(Plan, direct_silences_arp_before_it_takes_the_vip) {
  EXPECT_THAT(lines_of(make_plan(options_for({Method::direct}, {"192.0.2.40"}), host)),
              ElementsAre("sysctl net.ipv4.conf.all.arp_ignore 1", "sysctl net.ipv4.conf.all.arp_announce 2",
                          "sysctl net.ipv4.conf.lo.arp_ignore 1", "sysctl net.ipv4.conf.lo.arp_announce 2",
                          "address 192.0.2.40 present", "route 192.0.2.40 present"));
}

// The kernel keeps quiet about an IPv6 address of lo, and makes its host route.
TEST(Plan, direct_of_ipv6_is_the_address_alone) {
  EXPECT_THAT(lines_of(make_plan(options_for({Method::direct}, {"2001:db8::40"}), host)),
              ElementsAre("address 2001:db8::40 present"));
}

TEST(Plan, tunnel_ends_on_every_ethernet_interface_that_is_up_by_what_suits_it) {
  const auto lines = lines_of(make_plan(options_for({Method::tunnel}, {"2001:db8::40"}), host));
  EXPECT_THAT(lines, ElementsAre("clsact eth0 present", "tc_out eth0 pen_clamp_mss", "xdp eth0 pen_decap_xdp",
                                 "clsact veth1 present", "tc_out veth1 pen_clamp_mss", "tc_in veth1 pen_decap_tc",
                                 "address 2001:db8::40 present"));
}

TEST(Plan, interface_that_refused_xdp_takes_tc_and_the_chosen_mode_overrides) {
  Options options = options_for({Method::tunnel}, {"2001:db8::40"});
  options.interfaces = {"eth0"};
  Facts facts = host;
  facts.without_xdp = {"eth0"};
  EXPECT_THAT(lines_of(make_plan(options, facts)), testing::Contains("tc_in eth0 pen_decap_tc"));
  options.mode = Mode::native;
  EXPECT_THAT(lines_of(make_plan(options, facts)), testing::Contains("xdp eth0 pen_decap_xdp"));
  options.mode = Mode::tc;
  EXPECT_THAT(lines_of(make_plan(options, host)), testing::Contains("tc_in eth0 pen_decap_tc"));
}

TEST(Plan, named_interfaces_need_not_be_up_but_ethernet) {
  Options options = options_for({Method::tunnel}, {"2001:db8::40"});
  options.interfaces = {"eth2"};
  EXPECT_THAT(lines_of(make_plan(options, host)), testing::Contains("xdp eth2 pen_decap_xdp"));
  options.interfaces = {"wg0"};
  EXPECT_THAT(make_plan(options, host).error().message, HasSubstr("not an Ethernet interface"));
  options.interfaces = {"eth9"};
  EXPECT_THAT(make_plan(options, host).error().message, HasSubstr("there is none"));
}

TEST(Plan, tunnel_without_interfaces_is_refused) {
  Facts facts = host;
  facts.interfaces.resize(1);
  EXPECT_THAT(make_plan(options_for({Method::tunnel}, {"192.0.2.40"}), facts).error().message,
              HasSubstr("no Ethernet interface is up"));
}

TEST(Plan, fullnat_notes_clients_once_the_answers_stand) {
  Options options = options_for({Method::fullnat}, {});
  options.directors = {*model::parse_prefix("10.9.0.0/24")};
  EXPECT_THAT(lines_of(make_plan(options, host)),
              ElementsAre("cgroup getpeername4 pen_peer4", "cgroup getpeername6 pen_peer6", "cgroup sock_ops pen_toa"));
}

TEST(Plan, nat_needs_nothing) { EXPECT_THAT(lines_of(make_plan(options_for({Method::nat}, {}), host)), IsEmpty()); }

TEST(Plan, vip_of_another_interface_is_refused) {
  Facts facts = host;
  facts.own_addresses.push_back(address("192.0.2.40"));
  EXPECT_THAT(make_plan(options_for({Method::direct}, {"192.0.2.40"}), facts).error().message,
              HasSubstr("192.0.2.40 is an address of another interface"));
}

TEST(Plan, vip_needs_lo) {
  Facts facts = host;
  facts.interfaces[0].is_up = false;
  EXPECT_THAT(make_plan(options_for({Method::direct}, {"192.0.2.40"}), facts).error().message, HasSubstr("lo"));
  EXPECT_TRUE(make_plan(options_for({Method::nat}, {}), facts));
}

TEST(Plan, purpose_names_methods_and_vips) {
  EXPECT_EQ(make_plan(options_for({Method::direct, Method::tunnel}, {"192.0.2.40", "2001:db8::40"}), host)->purpose,
            "tunnel, direct: 192.0.2.40 2001:db8::40");
}

TEST(Plan, a_program_is_another_once_it_is_told_another_thing) {
  const auto told = [](const Options& options, const Facts& facts) {
    return make_plan(options, facts)->settings[2].made_from;
  };
  Options options = options_for({Method::tunnel}, {"2001:db8::40"});
  const std::string before = told(options, host);
  EXPECT_EQ(told(options, host), before);
  Facts facts = host;
  facts.own_addresses.push_back(address("10.0.0.33"));
  EXPECT_NE(told(options, facts), before);
  options.vips.push_back(address("2001:db8::41"));
  EXPECT_NE(told(options, host), before);
}

TEST(Plan, overhead_is_that_of_the_family_that_tunnels_can_come_in) {
  const Options options = options_for({Method::tunnel}, {"192.0.2.40"});
  EXPECT_EQ(program_config(options, host).overhead, 32U);
  Facts facts = host;
  facts.own_addresses.push_back(address("fd00::32"));
  EXPECT_EQ(program_config(options, facts).overhead, 52U);
}

// GUE in IPv4, GUE in IPv6; less than a host must take is never asked for (RFC 9293 §3.7.1).
TEST(Mss, is_what_the_tunnels_headers_leave) {
  EXPECT_EQ(mss_within({.mtu = 1500, .overhead = 32, .is_ipv6 = false}), 1428U);
  EXPECT_EQ(mss_within({.mtu = 1500, .overhead = 52, .is_ipv6 = true}), 1388U);
  EXPECT_EQ(mss_within({.mtu = 9000, .overhead = 52, .is_ipv6 = false}), 8908U);
  EXPECT_EQ(mss_within({.mtu = 536 + 72, .overhead = 32, .is_ipv6 = false}), 536U);
  EXPECT_EQ(mss_within({.mtu = 537 + 72, .overhead = 32, .is_ipv6 = false}), 537U);
  EXPECT_EQ(mss_within({.mtu = 68, .overhead = 52, .is_ipv6 = true}), 536U);
  EXPECT_EQ(mss_within({.mtu = 0, .overhead = 52, .is_ipv6 = true}), 536U);
}

}  // namespace
}  // namespace penstock::agent
