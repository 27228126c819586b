// Hosts on which nothing is wrong, for tests to spoil: a director and a real server of each method, dual stack.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "doctor/facts.hpp"
#include "doctor/facts_about.hpp"
#include "doctor/rules.hpp"

namespace penstock::doctor {

inline constexpr std::uint32_t lo = 1;
inline constexpr std::uint32_t eth0 = 2;
inline constexpr std::uint32_t eth1 = 3;

inline constexpr Mac director_mac{2, 0, 0, 0, 0, 0x31};
inline constexpr Mac server_mac{2, 0, 0, 0, 0, 0x32};
inline constexpr Mac other_mac{2, 0, 0, 0, 0, 0x99};

inline model::Address at(const std::string& text) { return model::parse_address(text).value(); }

inline std::vector<Interface> two_cards() {
  Interface loopback{.index = lo, .name = "lo", .is_up = true, .has_carrier = true, .is_loopback = true, .mtu = 65536};
  Interface card{.index = eth0,
                 .name = "eth0",
                 .is_up = true,
                 .has_carrier = true,
                 .is_ethernet = true,
                 .asks_neighbours = true,
                 .mtu = 1500,
                 .mac = director_mac};
  Interface second = card;
  second.index = eth1;
  second.name = "eth1";
  return {loopback, card, second};
}

inline Way on_link(const std::string& to, std::uint32_t interface = eth0) {
  return {.to = at(to), .kind = Way::Kind::unicast, .interface = interface};
}
inline Way by_router(const std::string& to, const std::string& router, std::uint32_t interface = eth0) {
  return {.to = at(to), .kind = Way::Kind::unicast, .interface = interface, .gateway = at(router)};
}

inline api::ServiceView service(const std::string& vip, const std::vector<std::string>& servers, model::Method method,
                                std::uint16_t server_port = 80) {
  api::ServiceView view{.service = {.key = {.vip = {at(vip), 80}}}};
  for (const std::string& server : servers)
    view.servers.push_back({.server = {.endpoint = {at(server), server_port}, .method = method}});
  return view;
}

// LVS-DR in one network: eth0 has all of it.
inline Facts direct_director() {
  Facts facts{.interfaces = two_cards()};
  facts.interfaces[1].xdp = XdpMode::native;
  facts.addresses = {{lo, at("127.0.0.1"), 8},
                     {eth0, at("172.16.0.31"), 16},
                     {eth0, at("172.16.0.40"), 32},
                     {eth0, at("fd00:ac10::31"), 64},
                     {eth0, at("fd00:ac10::40"), 128}};
  facts.neighbours = {{eth0, at("172.16.0.32"), server_mac}, {eth0, at("fd00:ac10::32"), server_mac}};
  facts.ways = {on_link("172.16.0.32"), on_link("fd00:ac10::32"), by_router("203.0.113.1", "172.16.0.1"),
                by_router("2001:db8::1", "fd00:ac10::1")};
  facts.holders = {{eth0, at("172.16.0.40")},
                   {eth0, at("fd00:ac10::40")},
                   {eth0, at("172.16.0.32"), {server_mac}},
                   {eth0, at("fd00:ac10::32"), {server_mac}}};
  facts.attempts = {{.to = {at("172.16.0.32"), 80}, .greeting = Greeting::accepted}};
  facts.clients = {at("203.0.113.1"), at("2001:db8::1")};
  facts.director = Director{.services = {service("172.16.0.40", {"172.16.0.32"}, model::Method::direct),
                                         service("fd00:ac10::40", {"fd00:ac10::32"}, model::Method::direct)},
                            .attached = {{"eth0", "native"}},
                            .connections_max = 1000};
  return facts;
}

// Clients on eth0, real servers on eth1.
inline Facts nat_director() {
  Facts facts = direct_director();
  facts.interfaces[2].xdp = XdpMode::native;
  facts.addresses.push_back({eth1, at("10.0.0.1"), 24});
  facts.neighbours = {{eth1, at("10.0.0.32"), server_mac}};
  facts.ways = {on_link("10.0.0.32", eth1), by_router("203.0.113.1", "172.16.0.1")};
  facts.holders = {{eth0, at("172.16.0.40")}, {eth1, at("10.0.0.32"), {server_mac}}};
  facts.attempts = {{.to = {at("10.0.0.32"), 8080}, .greeting = Greeting::accepted}};
  facts.director->services = {service("172.16.0.40", {"10.0.0.32"}, model::Method::nat, 8080)};
  facts.director->attached.push_back({"eth1", "native"});
  return facts;
}

// Servers behind a router.
inline Facts tunnel_director() {
  Facts facts = direct_director();
  facts.neighbours = {{eth0, at("172.16.0.1"), other_mac}};
  facts.ways = {by_router("10.0.0.32", "172.16.0.1"), by_router("203.0.113.1", "172.16.0.1")};
  facts.holders = {{eth0, at("172.16.0.40")}, {eth0, at("172.16.0.1"), {other_mac}}};
  facts.attempts = {};
  facts.director->services = {service("172.16.0.40", {"10.0.0.32"}, model::Method::tunnel)};
  return facts;
}

// As above; local addresses that routers lead to the director.
inline Facts fullnat_director() {
  Facts facts = tunnel_director();
  facts.director->services = {service("172.16.0.40", {"10.0.0.32"}, model::Method::fullnat, 8080)};
  facts.director->local_addresses = {at("10.9.0.1")};
  return facts;
}

inline Facts direct_server() {
  Facts facts{.interfaces = two_cards()};
  for (Interface& interface : facts.interfaces) {
    interface.arp_ignore = 1;
    interface.arp_announce = 2;
  }
  facts.addresses = {{lo, at("172.16.0.40"), 32},
                     {lo, at("fd00:ac10::40"), 128},
                     {eth0, at("172.16.0.32"), 16},
                     {eth0, at("fd00:ac10::32"), 64}};
  facts.ways = {on_link("172.16.0.31"), by_router("203.0.113.1", "172.16.0.1"),
                by_router("2001:db8::1", "fd00:ac10::1")};
  facts.holders = {{eth0, at("172.16.0.40"), {director_mac}},
                   {eth0, at("fd00:ac10::40"), {director_mac}},
                   {eth0, at("172.16.0.31"), {director_mac}}};
  facts.clients = {at("203.0.113.1"), at("2001:db8::1")};
  facts.real_server = RealServer{.method = model::Method::direct,
                                 .vips = {at("172.16.0.40"), at("fd00:ac10::40")},
                                 .director = {at("172.16.0.31")}};
  return facts;
}

// In a network of its own; a BPF program takes the outer headers off.
inline Facts tunnel_server() {
  Facts facts = direct_server();
  facts.interfaces[1].xdp = XdpMode::native;
  facts.addresses = {{lo, at("172.16.0.40"), 32},
                     {lo, at("fd00:ac10::40"), 128},
                     {eth0, at("10.0.0.32"), 24},
                     {eth0, at("fd00:10::32"), 64}};
  facts.ways = {by_router("203.0.113.1", "10.0.0.1"), by_router("2001:db8::1", "fd00:10::1"),
                by_router("172.16.0.31", "10.0.0.1")};
  facts.ways[0].advertised_mss = 1440;
  facts.ways[1].advertised_mss = 1400;
  facts.holders = {};
  facts.real_server->method = model::Method::tunnel;
  return facts;
}

inline Facts nat_server() {
  Facts facts = direct_server();
  facts.addresses = {{eth0, at("10.0.0.32"), 24}};
  facts.ways = {by_router("203.0.113.1", "10.0.0.1"), on_link("10.0.0.1")};
  facts.holders = {};
  facts.real_server = RealServer{.method = model::Method::nat, .director = {at("10.0.0.1")}};
  return facts;
}

using Host = Facts (*)();
using Spoil = void (*)(Facts&);

// What makes a rule speak, on which host; and what is like it but no fault.
struct RuleCase {
  Fault fault;
  std::string name;  // of letters, digits and _
  Host host;
  Spoil spoil;
  std::string says;  // in the sentence; empty: the rule must be silent
};

inline std::ostream& operator<<(std::ostream& out, const RuleCase& one) { return out << one.name; }

class RuleTest : public testing::TestWithParam<RuleCase> {};

inline void PrintTo(const Finding& finding, std::ostream* out) {
  *out << row_of(finding.fault).id << ": " << finding.what;
}

// What the fault's own rule finds.
inline Findings of(Fault fault, const Facts& facts) { return rules()[static_cast<std::size_t>(fault)](facts); }

inline std::string name_of_case(const testing::TestParamInfo<RuleCase>& info) { return info.param.name; }

}  // namespace penstock::doctor
