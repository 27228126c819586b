#include "tests/golden/proc_stats.hpp"

#include <fmt/format.h>

namespace penstock::golden {

namespace {

// Statistics and rates have the same five columns.
template <typename Columns>
std::string line(const Columns& of) {
  return fmt::format("{:>8X} {:>8X} {:>8X} {:>16X} {:>16X}\n", of.connections, of.in_packets, of.out_packets,
                     of.in_bytes, of.out_bytes);
}

}  // namespace

std::string print_proc_stats(const Totals& totals) {
  return "   Total Incoming Outgoing         Incoming         Outgoing\n"
         "   Conns  Packets  Packets            Bytes            Bytes\n" +
         line(totals.statistics) + "\n Conns/s   Pkts/s   Pkts/s          Bytes/s          Bytes/s\n" +
         line(totals.rates);
}

}  // namespace penstock::golden
