#include "control/connection_list.hpp"

#include "control/connection_test_world.hpp"

namespace penstock::control {
namespace {

using std::chrono::milliseconds;

class connection_list : public ConnectionsTest {
 protected:
  api::ConnectionView only_one() {
    const auto views = list();
    EXPECT_EQ(views.size(), 1U);
    return views.empty() ? api::ConnectionView{} : views[0];
  }
};

TEST_F(connection_list, says_what_ipvs_says) {
  put(request(40000), TcpState::established, 900);
  clock.advance(milliseconds(10));
  const auto view = only_one();
  EXPECT_EQ(view.protocol, api::ConnectionProtocol::tcp);
  EXPECT_FALSE(view.is_template);
  EXPECT_EQ(to_string(view.client), "198.51.100.7:40000");
  EXPECT_EQ(to_string(view.vip), "192.0.2.1:80");
  EXPECT_EQ(to_string(view.server), "10.0.0.1:80");
  EXPECT_EQ(view.state, "ESTABLISHED");
  EXPECT_EQ(view.expires_s, 899U) << "rounded down";
}

TEST_F(connection_list, ipv6_and_udp) {
  Connection over6 = request(40000, model::Protocol::udp);
  over6.key.family = Family::ipv6;
  over6.key.client = image_of(at("2001:db8::7", 0).address);
  over6.key.vip = image_of(at("2001:db8::1", 0).address);
  put(over6, 0, 300);
  const auto view = only_one();
  EXPECT_EQ(view.protocol, api::ConnectionProtocol::udp);
  EXPECT_EQ(view.state, "UDP");
  EXPECT_EQ(to_string(view.client), "[2001:db8::7]:40000");
  EXPECT_EQ(to_string(view.server), "10.0.0.1:80") << "a tunnel may carry the other family";
}

// IPVS: sctp_state_name_table.
TEST_F(connection_list, sctp_has_names_of_its_own) {
  const char* names[sctp_states] = {"NONE",       "INIT1",      "INIT",     "C-SENT",      "C-REPLIED",
                                    "C-WAIT",     "COOKIE",     "C-ECHOED", "ESTABLISHED", "S-SENT",
                                    "S-RECEIVED", "S-ACK-SENT", "REJECTED", "CLOSED"};
  for (u16 state = 0; state < sctp_states; ++state) put(request(state, model::Protocol::sctp), state, 60);
  std::map<u16, std::string> shown;
  for (const auto& view : list()) {
    EXPECT_EQ(view.protocol, api::ConnectionProtocol::sctp);
    shown[view.client.port] = view.state;
  }
  ASSERT_EQ(shown.size(), sctp_states);
  for (u16 state = 0; state < sctp_states; ++state) EXPECT_EQ(shown[state], names[state]) << state;
}

// IPVS: tcp_state_name_table.
TEST_F(connection_list, tcp_states_have_the_kernels_names) {
  const char* names[tcp_states] = {"NONE",  "ESTABLISHED", "SYN_SENT", "SYN_RECV", "FIN_WAIT", "TIME_WAIT",
                                   "CLOSE", "CLOSE_WAIT",  "LAST_ACK", "LISTEN",   "SYNACK"};
  for (u16 state = 0; state < tcp_states; ++state) put(request(state), state, 60);
  std::map<u16, std::string> shown;
  for (const auto& view : list()) shown[view.client.port] = view.state;
  for (u16 state = 0; state < tcp_states; ++state) EXPECT_EQ(shown[state], names[state]) << state;
}

TEST_F(connection_list, what_only_the_packet_path_needs_is_not_listed) {
  put_nat(40000, TcpState::established, 900);
  Connection fragment = request(7);
  fragment.key.role = Role::fragment;
  put(fragment, 0, 30);
  Connection cache = request(0);
  cache.key.role = Role::cache;
  put(cache, 0, 30);
  Connection shift = request(7);
  shift.key.role = Role::shift;
  put(shift, 0, 30);
  ASSERT_EQ(count(Role::reply), 1U);
  EXPECT_EQ(to_string(only_one().client), "198.51.100.7:40000");
}

TEST_F(connection_list, a_template_has_its_services_port_and_a_state_of_its_own) {
  put(persistence(), static_cast<u32>(TemplateState::none), 300);
  auto view = only_one();
  EXPECT_TRUE(view.is_template);
  EXPECT_EQ(view.client.port, 0);
  EXPECT_EQ(to_string(view.vip), "192.0.2.1:80");
  EXPECT_EQ(to_string(view.server), "10.0.0.1:80");
  EXPECT_EQ(view.state, "NONE");
  Connection all_ports = persistence();
  all_ports.key.vip_port = {};
  all_ports.key.client = image_of(at("198.51.100.8", 0).address);
  put(all_ports, static_cast<u32>(TemplateState::assured), 300);
  for (const auto& each : list())
    if (each.vip.port == 0) view = each;
  EXPECT_EQ(to_string(view.server), "10.0.0.1:0");
  EXPECT_EQ(view.state, "ASSURED");
}

TEST_F(connection_list, a_template_that_is_no_longer_valid_has_port_65535) {
  Connection invalid = persistence();
  invalid.key.vip_port = big(u16{65535});
  put(invalid, 0, 300);
  EXPECT_EQ(to_string(only_one().vip), "192.0.2.1:65535");
  EXPECT_EQ(to_string(only_one().server), "10.0.0.1:65535");
}

TEST_F(connection_list, a_marks_template_is_of_ip_and_names_the_mark) {
  Connection marked = persistence();
  marked.key.protocol = 0;
  marked.key.vip = image_of(at("0.0.0.5", 0).address);
  marked.key.vip_port = {};
  put(marked, 0, 300);
  const auto view = only_one();
  EXPECT_EQ(view.protocol, api::ConnectionProtocol::ip);
  EXPECT_EQ(to_string(view.vip), "0.0.0.5:0");
}

TEST_F(connection_list, a_connection_that_bypasses_all_servers_has_none) {
  Connection bypass = request(40000);
  bypass.server = server_of_none;
  bypass.generation = 0;
  bypass.traits = static_cast<u8>(Method::bypass);
  put(bypass, TcpState::syn_recv, 60);
  EXPECT_EQ(to_string(only_one().server), "0.0.0.0:0");
}

TEST_F(connection_list, a_server_without_a_port_is_shown_with_the_packets) {
  tables.servers[1].port = {};
  put(request(40000), TcpState::established, 900);
  EXPECT_EQ(to_string(only_one().server), "10.0.0.1:80");
}

// FTP's data connections. IPVS shows one that the client has not begun yet with port 0.
TEST_F(connection_list, a_connection_may_have_a_server_port_of_its_own) {
  Connection expected = request(0);
  expected.traits = static_cast<u8>(Method::nat) | trait_controlled | trait_own_port;
  expected.key.vip_port = big(u16{20});
  expected.local_port = big(u16{2020});
  put(expected, TcpState::listen, 120);
  EXPECT_EQ(to_string(only_one().client), "198.51.100.7:0");
  EXPECT_EQ(to_string(only_one().vip), "192.0.2.1:20");
  EXPECT_EQ(to_string(only_one().server), "10.0.0.1:2020");
  EXPECT_EQ(only_one().state, "LISTEN");
}

TEST_F(connection_list, expired_and_half_made_ones_are_not_there) {
  put(request(40000), TcpState::close, 10);
  Connection& half_made = tables.connections[0].records[0];
  ASSERT_EQ(half_made.word, 0U);
  half_made.word = claimed_at(clock.ticks());
  EXPECT_EQ(list().size(), 1U);
  clock.advance(milliseconds(9990));
  EXPECT_EQ(list().size(), 1U) << "the last tick";
  EXPECT_EQ(list()[0].expires_s, 0U);
  clock.advance(milliseconds(10));
  EXPECT_TRUE(list().empty());
}

}  // namespace
}  // namespace penstock::control
