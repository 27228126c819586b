#include <fmt/format.h>

#include "bench/tables.hpp"

namespace penstock::bench {
namespace {

constexpr Cluster direct{};
constexpr Cluster nat{.method = Method::nat};
constexpr Cluster persistent{.persistent = true};
constexpr Cluster one_mark{.mark_rules = 1};
constexpr Cluster many_marks{.mark_rules = mark_rules_max};

constexpr u32 a_datagram_each = 1U << 12;

std::vector<PacketCase> cases() {
  const auto tcp = [](const char* name, Traffic traffic, u32 connections, u32 packets, const Cluster& cluster) {
    return PacketCase{name, traffic, Family::ipv4, protocol_tcp, connections, packets, cluster};
  };
  const auto udp = [](const char* name, Traffic traffic, u32 packets, const Cluster& cluster) {
    return PacketCase{name, traffic, Family::ipv4, protocol_udp, 1, packets, cluster};
  };
  return {
      tcp("new connection (SYN), not persistent", Traffic::fresh, quarter, few, direct),
      tcp("new connection, persistent, known client", Traffic::fresh, quarter, few, persistent),
      tcp("new connection, persistent, new client", Traffic::fresh_clients, quarter, few, persistent),
      tcp("new connection by fwmark, 1 rule", Traffic::fresh, quarter, few, one_mark),
      tcp("new connection by fwmark, 64 rules", Traffic::fresh, quarter, few, many_marks),
      tcp("established by fwmark, 64 rules", Traffic::known, quarter, many, many_marks),
      udp("first fragment, direct", Traffic::first_fragment, a_datagram_each, direct),
      udp("later fragment, direct", Traffic::later_fragment, many, direct),
      tcp("ICMP error to a nat server", Traffic::icmp_error, 1, many, nat),
      tcp("not for us, no nat servers", Traffic::not_virtual, 1, many, direct),
      tcp("not for us, nat servers", Traffic::not_virtual, 1, many, nat),
  };
}

}  // namespace

void print_other_table(Session& session) {
  std::unique_ptr<PenstockDirector> director;
  Heading heading("others", "");
  for (const PacketCase& which : cases()) {
    if (!session.wants(which.name)) continue;
    heading.print_once();
    if (!director) director = penstock_director();
    const Subject subject{director.get(), which};
    fmt::print("{:<46}{:>18}\n", which.name, cell(measure(session.driver, {&subject, 1}, session.rounds).front().ns));
    std::fflush(stdout);
  }
}

}  // namespace penstock::bench
