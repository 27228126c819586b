// Full NAT beyond what every method owes: the real server can know its client, by TCP option 254 (dpvs: client address conservation
// in fullnat: kind, length, port, address).
#include <arpa/inet.h>
#include <fmt/format.h>

#include <thread>

#include "lab/wait_until.hpp"
#include "tests/serving/method_test.hpp"

namespace penstock::serving {
namespace {

using namespace std::chrono_literals;

class FullNat : public MethodTest {
 protected:
  void SetUp() override {
    MethodTest::SetUp();
    if (is_over()) return;
    for (const char* server : {"rs1", "rs2"}) must(server, "toa_reader");
  }

  // What either server has noted, once it contains `expected` or the time is over.
  std::string noted(const std::string& expected) const {
    const auto deadline = std::chrono::steady_clock::now() + 5s;
    std::string lines;
    do {
      lines = must("rs1", "cat /run/toa") + must("rs2", "cat /run/toa");
      if (lines.find(expected) != lines.npos) break;
      std::this_thread::sleep_for(20ms);
    } while (std::chrono::steady_clock::now() < deadline);
    return lines;
  }

  // fe 08, port, address; 14 (20) for IPv6.
  std::string option_of(const std::string& address, unsigned port) const {
    const bool is_ipv4 = GetParam().family == Family::ipv4;
    std::array<unsigned char, 16> bytes{};
    EXPECT_EQ(inet_pton(is_ipv4 ? AF_INET : AF_INET6, address.c_str(), bytes.data()), 1);
    std::string hex = fmt::format("fe{:02x}{:04x}", is_ipv4 ? 8 : 20, port);
    for (std::size_t i = 0; i < (is_ipv4 ? 4U : 16U); ++i) hex += fmt::format("{:02x}", bytes[i]);
    return hex;
  }
};

TEST_P(FullNat, real_server_reads_the_clients_address) {
  constexpr unsigned client_port = 45678;
  must("client", "exchange tcp " + at_.vip + " 9000 1 1 " + std::to_string(client_port));
  const std::string expected = "option=" + option_of(at_.client, client_port) + "\n";
  EXPECT_NE(noted(expected).find(expected), std::string::npos) << expected << noted(expected);
}

TEST_P(FullNat, each_client_is_told_apart_behind_one_local_address) {
  for (const unsigned client_port : {45001U, 45002U, 45003U, 45004U}) {
    must("client", "exchange tcp " + at_.vip + " 9000 10000 10000 " + std::to_string(client_port));
    const std::string expected = "option=" + option_of(at_.client, client_port) + "\n";
    EXPECT_NE(noted(expected).find(expected), std::string::npos) << expected << noted(expected);
  }
}

// The servers have no route to the client nor to the VIP: whatever came back came through the director.
TEST_P(FullNat, servers_know_the_way_to_local_addresses_only) {
  for (const std::string& address : {at_.client, at_.vip}) {
    const lab::Outcome route = cluster_.on("rs1", "ip route get " + address);
    EXPECT_NE(route.exit_status, 0) << route.output;
  }
  exchange("tcp", 1, 1);
}

// A request of two segments: the first is full, and nobody has answered before it.
TEST_P(FullNat, full_first_segment_has_room_for_the_option) {
  must("client",
       "curl -sS -g --max-time 20 -o /dev/null http://" + endpoint(at_.vip, 80) + "/" + std::string(2500, 'a'));
  const bool is_ipv4 = GetParam().family == Family::ipv4;
  const int ip_header = is_ipv4 || GetParam().method.to_ipv4 ? 20 : 40;  // as the server gets it
  const std::string full = fmt::format("data={}", 1500 - ip_header - 20 - (is_ipv4 ? 8 : 20));
  EXPECT_NE(noted(full).find(full), std::string::npos) << full << "\n" << noted(full);
  const std::string status = must("director", "penstock status");
  EXPECT_EQ(status.find("toa_no_room"), std::string::npos) << status;
}

// The real server's side of it: penstock realserver hands what the option says to programs that know nothing of it.
class FullNatWithAgent : public FullNat {
 protected:
  void SetUp() override {
    FullNat::SetUp();
    if (is_over()) return;
    for (const char* server : {"rs1", "rs2"}) {
      must(server,
           "sed -i 's#access_log off;#access_log /run/access.log;#; s#\\(listen .::.:8080 \\)#\\1ipv6only=off #; "
           "/listen 8080 /d' /etc/nginx/nginx.conf; nginx -s quit; while pidof nginx; do sleep 0.02; done; nginx");
    }
  }

  void start_agents(const std::string& from) const {
    for (const char* server : {"rs1", "rs2"}) must(server, "penstock realserver start --method fullnat --from " + from);
  }

  // Of one request: whom the server's nginx takes for the client. It may write that after it has answered.
  std::string logged_client() const {
    must("client", "curl -sS -g --max-time 10 -o /dev/null http://" + endpoint(at_.vip, 80) + "/");
    std::string lines;
    EXPECT_TRUE(lab::wait_until(std::chrono::steady_clock::now() + 5s, [&] {
      lines = must("rs1", "cat /run/access.log") + must("rs2", "cat /run/access.log");
      return !lines.empty();
    }));
    for (const char* server : {"rs1", "rs2"}) must(server, ": > /run/access.log");
    return lines.substr(0, lines.find(' '));
  }

  // A dual-stack socket, as nginx' is here, writes IPv4 as ::ffff:a.b.c.d.
  static std::string plain(const std::string& address) {
    const std::string mapped = "::ffff:";
    return address.starts_with(mapped) ? address.substr(mapped.size()) : address;
  }
};

TEST_P(FullNatWithAgent, nginx_logs_the_client) {
  EXPECT_EQ(plain(logged_client()).substr(0, 5), at_.locals[0].substr(0, 5)) << "without it nginx sees the director";
  start_agents("10.9.0.0/24 fd00:9::/64");
  for (int i = 0; i < 4; ++i) EXPECT_EQ(plain(logged_client()), at_.client);
  for (const char* server : {"rs1", "rs2"}) must(server, "penstock realserver stop");
  EXPECT_EQ(plain(logged_client()).substr(0, 5), at_.locals[0].substr(0, 5));
}

// Anybody can write the option.
TEST_P(FullNatWithAgent, option_from_a_stranger_is_not_believed) {
  start_agents("10.8.0.0/24 fd00:8::/64");
  EXPECT_EQ(plain(logged_client()).substr(0, 5), at_.locals[0].substr(0, 5));
}

INSTANTIATE_TEST_SUITE_P(All, FullNatWithAgent, testing::ValuesIn(cases_of("fullnat")), name_of);
INSTANTIATE_TEST_SUITE_P(All, FullNat, testing::ValuesIn(cases_of("fullnat")), name_of);

}  // namespace
}  // namespace penstock::serving
