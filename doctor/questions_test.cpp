#include "doctor/questions.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "doctor/facts_test_world.hpp"
#include "doctor/guess.hpp"

namespace penstock::doctor {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

std::vector<std::string> asked(const Inquiry& inquiry) {
  std::vector<std::string> all;
  for (const HolderQuestion& question : inquiry.questions)
    all.push_back(fmt::format("{} {}{}", question.interface, to_string(question.address),
                              question.source ? " from " + to_string(*question.source) : ""));
  return all;
}

TEST(Questions, a_director_asks_for_its_virtual_addresses_and_then_for_servers) {
  const Inquiry inquiry = holders_to_ask_for(direct_director());
  EXPECT_THAT(asked(inquiry), ElementsAre("2 172.16.0.40 from 172.16.0.31", "2 fd00:ac10::40 from fd00:ac10::31",
                                          "2 172.16.0.32 from 172.16.0.31", "2 fd00:ac10::32 from fd00:ac10::31"));
  EXPECT_THAT(inquiry.witnesses, UnorderedElementsAre(at("172.16.0.32"), at("fd00:ac10::32")));
}

TEST(Questions, servers_behind_a_router_are_not_asked_for_but_the_router_is) {
  EXPECT_THAT(asked(holders_to_ask_for(tunnel_director())),
              ElementsAre("2 172.16.0.40 from 172.16.0.31", "2 172.16.0.1 from 172.16.0.31"));
}

TEST(Questions, a_real_server_asks_for_what_is_in_its_networks) {
  EXPECT_THAT(asked(holders_to_ask_for(direct_server())),
              ElementsAre("2 172.16.0.40 from 172.16.0.32", "2 fd00:ac10::40 from fd00:ac10::32",
                          "2 172.16.0.31 from 172.16.0.32"));
  const Facts far = tunnel_server();
  EXPECT_THAT(asked(holders_to_ask_for(far)), ElementsAre("2 10.0.0.1 from 10.0.0.32"));  // the router to the director
}

TEST(Questions, nobody_is_asked_on_an_interface_that_is_down) {
  Facts facts = direct_director();
  facts.interfaces[1].has_carrier = false;
  EXPECT_THAT(asked(holders_to_ask_for(facts)), IsEmpty());
}

TEST(Questions, servers_are_greeted_on_the_port_that_they_serve) {
  const auto direct = servers_to_greet(direct_director());
  ASSERT_EQ(direct.size(), 2U);
  EXPECT_EQ(to_string(direct[0].to), "172.16.0.32:80");
  EXPECT_EQ(direct[0].from, at("172.16.0.31"));
  EXPECT_TRUE(direct[0].must_answer);
  EXPECT_EQ(direct[1].from, at("fd00:ac10::31"));
  const auto nat = servers_to_greet(nat_director());
  ASSERT_EQ(nat.size(), 1U);
  EXPECT_EQ(to_string(nat[0].to), "10.0.0.32:8080");
  const auto fullnat = servers_to_greet(fullnat_director());
  ASSERT_EQ(fullnat.size(), 1U);
  EXPECT_FALSE(fullnat[0].must_answer);
}

TEST(Questions, servers_that_can_not_be_greeted_are_left_alone) {
  const auto with = [](Spoil spoil) {
    Facts facts = nat_director();
    spoil(facts);
    return servers_to_greet(facts);
  };
  EXPECT_THAT(with([](Facts& facts) { facts.director->sends_nat_errors = true; }), IsEmpty());
  EXPECT_THAT(with([](Facts& facts) { facts.ways.clear(); }), IsEmpty());
  EXPECT_THAT(with([](Facts& facts) { facts.director->services[0].servers[0].server.weight = 0; }), IsEmpty());
  EXPECT_THAT(with([](Facts& facts) { facts.director->services[0].service.key.protocol = model::Protocol::udp; }),
              IsEmpty());
  EXPECT_THAT(with([](Facts& facts) { facts.director->services[0].service.key.fwmark = 5; }), IsEmpty());
  EXPECT_THAT(with([](Facts& facts) { facts.director->services[0].servers[0].server.endpoint.port = 0; }), IsEmpty());
}

TEST(Guess, addresses_on_lo_are_virtual_and_near_ones_are_directs) {
  const auto server = guess_real_server({}, direct_server());
  ASSERT_TRUE(server);
  EXPECT_EQ(server->method, model::Method::direct);
  EXPECT_THAT(server->vips, ElementsAre(at("172.16.0.40"), at("fd00:ac10::40")));
}

TEST(Guess, a_bpf_program_and_far_addresses_are_a_tunnels) {
  const auto server = guess_real_server({}, tunnel_server());
  ASSERT_TRUE(server);
  EXPECT_EQ(server->method, model::Method::tunnel);
}

TEST(Guess, a_bpf_program_beside_near_addresses_is_no_tunnels) {
  Facts facts = direct_server();
  facts.interfaces[1].xdp = XdpMode::native;
  EXPECT_EQ(guess_real_server({}, facts)->method, model::Method::direct);
}

TEST(Guess, what_can_not_be_known_must_be_said) {
  EXPECT_FALSE(guess_real_server({}, nat_server()));
  EXPECT_FALSE(guess_real_server({.method = model::Method::nat}, nat_server()));
  EXPECT_TRUE(guess_real_server({.method = model::Method::nat, .directors = {at("10.0.0.1")}}, nat_server()));
  EXPECT_TRUE(guess_real_server({.method = model::Method::fullnat}, nat_server()));
  EXPECT_TRUE(guess_real_server({.vips = {at("172.16.0.40")}}, nat_server()));
}

}  // namespace
}  // namespace penstock::doctor
