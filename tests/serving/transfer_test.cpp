// What every forwarding method owes: bytes arrive as they were sent, both ways, whatever their number.
#include <array>
#include <set>

#include "tests/serving/exchange.hpp"
#include "tests/serving/method_test.hpp"

namespace penstock::serving {
namespace {

constexpr std::array sizes{1U, 10'000U, 10'000'000U};

std::string word(const std::string& text, const std::string& key) {
  std::smatch found;
  return std::regex_search(text, found, std::regex(key + R"(=(\S+))")) ? found[1].str() : "";
}

// 192.0.2.1:80, [2001:db8::1]:80
std::string address_in(const std::string& endpoint) {
  const std::string address = endpoint.substr(0, endpoint.rfind(':'));
  return address.starts_with('[') ? address.substr(1, address.size() - 2) : address;
}

// What is owed is told apart by these names; a lab takes longer to make than all of them.
class Transfer : public MethodTest {
 protected:
  void http_pages_come_byte_for_byte_from_both_servers() const {
    for (const unsigned size : sizes) {
      const std::string file = std::to_string(size);
      for (const char* server : {"rs1", "rs2"}) must(server, "exchange content " + file + " > /srv/www/" + file);
      const std::string expected = must("client", "exchange content " + file + " | sha256sum");
      std::string hosts;
      for (int i = 0; i < 2; ++i) {
        const std::string url = "http://" + endpoint(at_.vip, 80) + "/" + file;
        hosts += must("client", "curl -sS -g --max-time 20 -D /tmp/head -o /tmp/body " + url +
                                    " && grep -i ^X-Lab-Host /tmp/head");
        EXPECT_EQ(must("client", "sha256sum < /tmp/body"), expected) << url;
      }
      EXPECT_NE(hosts.find("rs1"), hosts.npos) << hosts;
      EXPECT_NE(hosts.find("rs2"), hosts.npos) << hosts;
    }
  }

  void streams_arrive_byte_for_byte_both_ways() const {
    for (const unsigned size : sizes) exchange("tcp", size, size);
  }

  void datagrams_arrive_byte_for_byte_both_ways() const {
    for (const unsigned size : {1U, 1000U}) {
      for (int i = 0; i < 2; ++i) EXPECT_EQ(word(exchange("udp", size, size), "tries"), "1") << size;
    }
  }

  void datagrams_that_fill_the_wire_arrive() const {
    // 1500 bytes with what is around them: headers of IP and UDP, and of the exchange. Tunnels have the client send them again in pieces.
    const bool is_ipv4 = GetParam().family == Family::ipv4;
    const std::size_t room = 1500 - (is_ipv4 ? 28 : 48);
    exchange("udp", room - sizeof(Request), room - sizeof(Answer));
  }

  void datagrams_in_fragments_arrive() const {
    // In a tunnel each of the client's fragments has to fit with the outer headers: the servers put no outer fragments together.
    if (GetParam().method.overhead[0] > 0) must("client", "ip route add " + at_.vip + " dev eth0 mtu 1400");
    exchange("udp", 8000, 8000);
  }

  void server_sees_the_addresses_that_the_method_leaves() const {
    std::set<std::string> expected_peers{at_.client};
    if (!at_.locals.empty()) expected_peers = {at_.locals.begin(), at_.locals.end()};
    for (const char* transport : {"tcp", "udp"}) {
      const std::string report = exchange(transport, 1, 1);
      EXPECT_TRUE(expected_peers.contains(address_in(word(report, "peer")))) << report;
      EXPECT_EQ(address_in(word(report, "reached")) == at_.vip, !GetParam().method.maps_ports) << report;
    }
  }

  void director_counts_replies_only_where_they_pass() const {
    must("director", "ipvsadm -Z");
    exchange("tcp", 1, 100'000);
    const std::string table = must("director", "ipvsadm -Ln --stats --exact");
    const std::string row = endpoint(at_.vip, 9000);
    const std::regex line("TCP  " + std::regex_replace(row, std::regex(R"([\[\]])"), R"(\$&)") +
                          R"(\s+(\d+)\s+(\d+)\s+(\d+)\s+(\d+)\s+(\d+))");
    std::smatch found;
    ASSERT_TRUE(std::regex_search(table, found, line)) << table;
    EXPECT_EQ(found[1], "1") << table;
    if (GetParam().method.reply_passes) {
      EXPECT_GT(std::stoul(found[5]), 100'000U) << table;
    } else {
      EXPECT_EQ(found[5], "0") << table;
    }
  }
};

TEST_P(Transfer, arrives_byte_for_byte) {
  http_pages_come_byte_for_byte_from_both_servers();
  streams_arrive_byte_for_byte_both_ways();
  datagrams_arrive_byte_for_byte_both_ways();
  server_sees_the_addresses_that_the_method_leaves();
  director_counts_replies_only_where_they_pass();
  datagrams_that_fill_the_wire_arrive();
  datagrams_in_fragments_arrive();
}

INSTANTIATE_TEST_SUITE_P(All, Transfer, testing::ValuesIn(each_family(methods())), name_of);

}  // namespace
}  // namespace penstock::serving
