#include "tests/golden/compare_text.hpp"

#include <gtest/gtest.h>

namespace penstock::golden {
namespace {

constexpr const char* header =
    "IPVS connection entries\npro expire state       source             virtual            destination\n";

std::string connection(const std::string& expire, const std::string& state = "ESTABLISHED",
                       const std::string& port = "1000") {
  return "TCP " + expire + "  " + state + " 198.51.100.1:" + port + "  10.1.0.100:80      10.2.0.12:80\n";
}

TEST(CompareText, differs_in_one_letter_or_in_the_last_newline) {
  EXPECT_TRUE(compare_text("stdout", "ipvsadm -Ln", "a\nb\n", "a\nb\n").empty());
  EXPECT_EQ(compare_text("stdout", "ipvsadm -Ln", "a\nb\n", "a\nB\n"), (Differences{{"stdout line 2", "b", "B"}}));
  EXPECT_EQ(compare_text("stdout", "ipvsadm -Ln", "a\nb\n", "a\n"), (Differences{{"stdout line 2", "b", ""}}));
  EXPECT_FALSE(compare_text("stdout", "ipvsadm -Ln", "a\n", "a").empty());
  EXPECT_FALSE(compare_text("stdout", "ipvsadm -Ln", "a\n", "a\n\n").empty());
}

TEST(CompareText, services_may_stand_in_any_order_under_nosort_servers_may_not) {
  const std::string one = "TCP  10.1.0.100:80 rr\n  -> a\n  -> b\n";
  const std::string two = "UDP  10.1.0.100:53 rr\n  -> c\n";
  EXPECT_TRUE(compare_text("stdout", "ipvsadm -Ln --nosort", "h\n" + one + two, "h\n" + two + one).empty());
  EXPECT_FALSE(compare_text("stdout", "ipvsadm -Ln", "h\n" + one + two, "h\n" + two + one).empty());
  const std::string swapped = "TCP  10.1.0.100:80 rr\n  -> b\n  -> a\n";
  EXPECT_FALSE(compare_text("stdout", "ipvsadm -Ln --nosort", "h\n" + one + two, "h\n" + swapped + two).empty());
}

TEST(CompareText, the_default_of_sync_qlen_max_is_the_machines) {
  const char* all = "cd /proc/sys/net/ipv4/vs; for f in *; do echo $f: $(cat $f); done";
  EXPECT_TRUE(compare_text("stdout", all, "sync_qlen_max: 3897\n", "sync_qlen_max: 4096\n").empty());
  EXPECT_FALSE(compare_text("stdout", all, "sync_ports: 1\n", "sync_ports: 2\n").empty());
  const char* one = "echo -5 > sync_qlen_max; echo rc=$?; cat sync_qlen_max";
  EXPECT_TRUE(compare_text("stdout", one, "rc=1\n3897\n", "rc=1\n4096\n").empty());
  EXPECT_FALSE(compare_text("stdout", one, "rc=0\n77\n", "rc=0\n78\n").empty());
  EXPECT_FALSE(compare_text("stdout", "cat drop_packet", "3897\n", "4096\n").empty());
}

TEST(CompareText, rates_agree_within_half_and_two) {
  const char* command = "ipvsadm -Ln --rate";
  const auto differs = [&](const char* want, const char* got) {
    return !compare_text("stdout", command, want, got).empty();
  };
  EXPECT_FALSE(differs("TCP  x 100\n", "TCP  x 48\n"));
  EXPECT_TRUE(differs("TCP  x 100\n", "TCP  x 47\n"));
  EXPECT_FALSE(differs("TCP  x 0\n", "TCP  x 4\n"));
  EXPECT_TRUE(differs("TCP  x 0\n", "TCP  x 5\n"));
  EXPECT_TRUE(differs("TCP  x 5\n", "TCP  y 5\n"));
  EXPECT_FALSE(compare_text("stdout", "ipvsadm -Ln --stats", "TCP  x 100\n", "TCP  x 99\n").empty());
}

TEST(CompareConnections, any_order_and_two_seconds_of_expiry) {
  const std::string want = header + connection("14:59") + connection("00:59", "SYN_RECV", "1001");
  EXPECT_TRUE(
      compare_connections(want, header + connection("00:59", "SYN_RECV", "1001") + connection("14:59")).empty());
  EXPECT_TRUE(compare_connections(header + connection("14:59"), header + connection("15:01")).empty());
  EXPECT_TRUE(compare_connections(header + connection("14:59"), header + connection("14:57")).empty());
  EXPECT_FALSE(compare_connections(header + connection("14:59"), header + connection("15:02")).empty());
  EXPECT_FALSE(compare_connections(header + connection("14:59"), header + connection("14:56")).empty());
}

TEST(CompareConnections, state_number_and_heading_count) {
  const std::string want = header + connection("14:59");
  EXPECT_FALSE(compare_connections(want, header + connection("14:59", "FIN_WAIT")).empty());
  EXPECT_FALSE(compare_connections(want, header + connection("14:59", "ESTABLISHED", "1001")).empty());
  EXPECT_EQ(compare_connections(want, header).size(), 1U);
  EXPECT_EQ(compare_connections(header, want).size(), 1U);
  EXPECT_FALSE(compare_connections(want, connection("14:59")).empty());
}

TEST(CompareProcStats, totals_count_and_rates_have_their_tolerance) {
  const std::string want =
      "   Total\n   Conns\n       6       10        0              489                0\n\n Conns/s   Pkts/s\n"
      "       1        2        0               91                0\n";
  std::string other_rate = want;
  other_rate.replace(other_rate.find(" 91"), 3, " 60");
  EXPECT_TRUE(compare_proc_stats(want, other_rate).empty());
  std::string other_total = want;
  other_total.replace(other_total.find("489"), 3, "48A");
  EXPECT_EQ(compare_proc_stats(want, other_total).size(), 1U);
}

}  // namespace
}  // namespace penstock::golden
