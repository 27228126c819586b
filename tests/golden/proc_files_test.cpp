#include "tests/golden/proc_files.hpp"

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

// The lines are those of the recording cli-order-p, and IPv6 and flags as ip_vs_info_seq_show() prints them.
TEST(ProcServices, prints_as_the_kernel_prints) {
  const auto endpoint = [](const char* address, std::uint16_t port) {
    return model::Endpoint{*model::parse_address(address), port};
  };
  const auto service = [](const model::ServiceKey& key, std::uint32_t flags = 0) {
    api::ServiceView view;
    view.service.key = key;
    view.service.scheduler = "rr";
    view.service.flags = flags;
    return view;
  };
  auto web = service({.vip = endpoint("10.1.0.100", 80)});
  web.servers.push_back({.server = {.endpoint = endpoint("10.2.0.11", 8080), .method = model::Method::nat}});
  web.servers.push_back({.server = {.endpoint = endpoint("10.2.0.9", 80)}, .active = 3, .inactive = 12});
  auto web6 = service({.vip = endpoint("fd00:1::100", 80)}, model::service_flag::persistent);
  web6.service.persistence_timeout_s = 300;
  web6.service.netmask = 64;
  const auto mark = service({.fwmark = 1});
  EXPECT_EQ(print_proc_services({web, web6, mark}, {.connection_buckets = 4096}),
            "IP Virtual Server version 1.2.1 (size=4096)\n"
            "Prot LocalAddress:Port Scheduler Flags\n"
            "  -> RemoteAddress:Port Forward Weight ActiveConn InActConn\n"
            "TCP  0A010064:0050 rr  \n"
            "  -> 0A02000B:1F90      Masq    1      0          0         \n"
            "  -> 0A020009:0050      Route   1      3          12        \n"
            "TCP  [fd00:0001:0000:0000:0000:0000:0000:0100]:0050 rr persistent 30000 00000040\n"
            "FWM  00000001 rr \n");
}

}  // namespace
}  // namespace penstock::golden
