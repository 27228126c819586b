#include <fmt/format.h>

#include "bench/tables.hpp"

namespace penstock::bench {
namespace {

const std::vector<PacketCase>& cases() {
  static const std::vector<PacketCase> all{
      {"TCP, 1 connection", Traffic::known, Family::ipv4, protocol_tcp, 1, many},
      {"TCP, 64 k connections", Traffic::known, Family::ipv4, protocol_tcp, 1U << 16, many},
      {"TCP, 256 k connections (25 % load)", Traffic::known, Family::ipv4, protocol_tcp, quarter, many},
      {"TCP, 512 k connections (50 % load)", Traffic::known, Family::ipv4, protocol_tcp, half, many},
      {"UDP, 1 connection", Traffic::known, Family::ipv4, protocol_udp, 1, many},
      {"UDP, 512 k connections", Traffic::known, Family::ipv4, protocol_udp, half, many},
      {"IPv6 TCP, 1 connection", Traffic::known, Family::ipv6, protocol_tcp, 1, many},
      {"IPv6 TCP, 512 k connections", Traffic::known, Family::ipv6, protocol_tcp, half, many},
      {"each packet a new TCP connection (SYN)", Traffic::fresh, Family::ipv4, protocol_tcp, half, few},
      {"new TCP connections, SYN and ACK, per packet", Traffic::handshake, Family::ipv4, protocol_tcp, half, few},
      {"each packet a new UDP connection", Traffic::fresh, Family::ipv4, protocol_udp, half, few},
      {"virtual address, no service", Traffic::unserved, Family::ipv4, protocol_tcp, half, many},
      {"not a virtual address", Traffic::not_virtual, Family::ipv4, protocol_tcp, half, many},
  };
  return all;
}

using Directors = std::vector<std::unique_ptr<Director>>;

void print_heading(const Directors& directors) {
  fmt::print("{:<46}", "direct: ns per packet, net: median (quartiles)");
  for (const auto& director : directors) fmt::print("{:>18}", director->name());
  fmt::print("{:>8}\n", "ratio");
}

void print_row(const PacketCase& which, const std::vector<Measured>& results) {
  fmt::print("{:<46}", which.name);
  for (const Measured& result : results) fmt::print("{:>18}", cell(result.ns));
  fmt::print("{:>8.2f}\n", results[0].ns.median / results[1].ns.median);
  std::fflush(stdout);
}

}  // namespace

std::string cell(const Quartiles& ns) { return fmt::format("{:.0f} ({:.0f}-{:.0f})", ns.median, ns.low, ns.high); }

void Heading::print_once() {
  if (!printed_) fmt::print("\n{:<46}{:>18}{:>10}\n", rows_, "penstock", last_column_);
  printed_ = true;
}

void print_reference_table(Session& session, const std::vector<std::string>& other_builds) {
  Directors directors;
  for (const PacketCase& which : cases()) {
    if (!session.wants(which.name)) continue;
    if (directors.empty()) {
      directors.push_back(penstock_director());
      directors.push_back(reference_director());
      for (const std::string& file : other_builds) directors.push_back(penstock_director(file));
      print_heading(directors);
    }
    std::vector<Subject> subjects;
    for (const auto& director : directors) subjects.push_back({director.get(), which});
    print_row(which, measure(session.driver, subjects, session.rounds));
  }
}

}  // namespace penstock::bench
