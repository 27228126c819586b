// The director by TC, on links as virtual machines and containers have them: packets come uncut and with checksums that nobody has
// computed yet. What every method owes it owes here as well; and the packets must really be so. The other hosts' links stay as
// wires: there packets are cut and their checksums computed, as what the director made of them says.
#include "tests/serving/exchange.hpp"
#include "tests/serving/method_test.hpp"

namespace penstock::serving {
namespace {

constexpr std::uint64_t bulk = 20'000'000;

class ByTc : public MethodTest {
 protected:
  // The lab's switch computes checksums and cuts packets before the director, which runs native XDP: none of that here.
  void SetUp() override {
    MethodTest::SetUp();
    if (is_over()) return;
    must("switch",
         "for port in $(ls /sys/class/net | grep ^director-); do ethtool -K $port tx on sg on tso on gso on; done");
    must("director",
         "kill $(pidof penstockd); while pidof penstockd; do sleep 0.05; done; penstockd --unload; "
         "(setsid penstockd --mode auto >/tmp/penstockd.log 2>&1 &) ; "
         "for i in $(seq 200); do penstock status >/dev/null 2>&1 && exit 0; sleep 0.05; done; cat /tmp/penstockd.log; "
         "exit 1");
  }

  void TearDown() override {
    if (HasFailure()) GTEST_LOG_(INFO) << must("director", "cat /tmp/penstockd.log; penstock status");
    MethodTest::TearDown();
  }

  void veth_gets_tc_and_status_says_so() const {
    EXPECT_NE(must("director", "penstock status").find("eth0 (tc)"), std::string::npos);
  }

  void streams_arrive_byte_for_byte_both_ways() const {
    for (const std::uint64_t size : {std::uint64_t{1}, std::uint64_t{10'000}, bulk}) exchange("tcp", size, size);
  }

  void datagrams_arrive_byte_for_byte_both_ways() const {
    for (const std::uint64_t size : {1U, 1000U}) {
      for (int i = 0; i < 2; ++i) exchange("udp", size, size);
    }
  }

  void datagrams_in_fragments_arrive() const {
    if (GetParam().method.overhead[0] > 0) must("client", "ip route add " + at_.vip + " dev eth0 mtu 1400");
    exchange("udp", 8000, 8000);
  }

  // Whole segments of TCP are many times longer than a wire takes: were they cut before the director, it would count each piece.
  void bulk_passes_uncut() const {
    must("director", "ipvsadm -Z");
    exchange("tcp", bulk, 1);
    const std::string table = must("director", "ipvsadm -Ln --stats --exact");
    const std::regex line(R"(TCP  \S+:9000\s+(\d+)\s+(\d+)\s+(\d+)\s+(\d+)\s+(\d+))");
    std::smatch found;
    ASSERT_TRUE(std::regex_search(table, found, line)) << table;
    EXPECT_GE(std::stoull(found[4]), bulk) << table;
    EXPECT_GT(std::stoull(found[4]) / std::stoull(found[2]), 3000U) << "bytes a packet: " << table;
  }
};

TEST_P(ByTc, arrives_byte_for_byte) {
  veth_gets_tc_and_status_says_so();
  streams_arrive_byte_for_byte_both_ways();
  datagrams_arrive_byte_for_byte_both_ways();
  bulk_passes_uncut();
  datagrams_in_fragments_arrive();
}

INSTANTIATE_TEST_SUITE_P(All, ByTc, testing::ValuesIn(each_family(methods())), name_of);

}  // namespace
}  // namespace penstock::serving
