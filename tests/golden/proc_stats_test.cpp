#include "tests/golden/proc_stats.hpp"

#include <gtest/gtest.h>

namespace penstock::golden {
namespace {

// The text is that of the recording stats-dr-p.
TEST(ProcStats, prints_as_the_kernel_prints) {
  const Totals totals{
      .statistics = {.connections = 6, .in_packets = 16, .out_packets = 0, .in_bytes = 0x489, .out_bytes = 0},
      .rates = {.connections = 1, .in_packets = 2, .out_packets = 0, .in_bytes = 0x91, .out_bytes = 0}};
  EXPECT_EQ(print_proc_stats(totals),
            "   Total Incoming Outgoing         Incoming         Outgoing\n"
            "   Conns  Packets  Packets            Bytes            Bytes\n"
            "       6       10        0              489                0\n"
            "\n"
            " Conns/s   Pkts/s   Pkts/s          Bytes/s          Bytes/s\n"
            "       1        2        0               91                0\n");
}

}  // namespace
}  // namespace penstock::golden
