#include <fmt/format.h>

#include <array>

#include "bench/tables.hpp"

namespace penstock::bench {
namespace {

struct Forwarding {
  const char* name;
  Method method;
  TunnelType tunnel;
};

// Direct routing is what the others are compared with.
constexpr std::array all_methods{Forwarding{"direct", Method::direct, TunnelType::ipip},
                                 Forwarding{"nat", Method::nat, TunnelType::ipip},
                                 Forwarding{"tunnel, ipip", Method::tunnel, TunnelType::ipip},
                                 Forwarding{"tunnel, gre", Method::tunnel, TunnelType::gre},
                                 Forwarding{"tunnel, gue", Method::tunnel, TunnelType::gue},
                                 Forwarding{"fullnat", Method::fullnat, TunnelType::ipip}};
constexpr std::size_t nat = 1;
constexpr std::size_t fullnat = 5;

struct Row {
  std::size_t method;
  Traffic traffic;
  const char* packet;
};

std::vector<Row> rows_of_all(Traffic traffic, const char* packet) {
  std::vector<Row> rows;
  for (std::size_t i = 0; i < all_methods.size(); ++i) rows.push_back({i, traffic, packet});
  return rows;
}

std::vector<Row> both_ways(std::size_t method) {
  return {{method, Traffic::known, "request"}, {method, Traffic::reply, "reply"}};
}

class MethodTable {
 public:
  explicit MethodTable(Session& session) : session_(session) {}

  // The last column is the difference to the first row.
  void measure_and_print(const std::vector<Row>& rows, u32 connections, u32 packets) {
    const std::vector<Subject> subjects = wanted(rows, connections, packets);
    if (subjects.empty()) return;
    heading_.print_once();
    const std::vector<Measured> results = measure(session_.driver, subjects, session_.rounds);
    for (std::size_t i = 0; i < results.size(); ++i)
      fmt::print("{:<46}{:>18}{:>+10.0f}\n", subjects[i].which.name, cell(results[i].ns), results[i].more_than_first);
    std::fflush(stdout);
  }

 private:
  // None, or the first row and those that are asked for.
  std::vector<Subject> wanted(const std::vector<Row>& rows, u32 connections, u32 packets) {
    std::vector<Subject> subjects;
    bool any = false;
    for (const Row& row : rows) {
      const PacketCase which = case_of(row, connections, packets);
      any = any || session_.wants(which.name);
      if (subjects.empty() || session_.wants(which.name)) subjects.push_back({nullptr, which});
    }
    if (!any) return {};
    for (Subject& subject : subjects) subject.director = &director_of(subject.which.cluster);
    return subjects;
  }

  static PacketCase case_of(const Row& row, u32 connections, u32 packets) {
    const Forwarding& forwarding = all_methods[row.method];
    const std::string load = connections == 1 ? "1 connection" : fmt::format("{} k connections", connections / 1024);
    return {.name = fmt::format("{}: {}, {}", forwarding.name, row.packet, load),
            .traffic = row.traffic,
            .connections = connections,
            .packets = packets,
            .cluster = {.method = forwarding.method, .tunnel = forwarding.tunnel}};
  }

  // Each method has tables of its own, so that all can be measured in turns.
  Director& director_of(const Cluster& cluster) {
    std::size_t i = 0;
    while (all_methods[i].method != cluster.method || all_methods[i].tunnel != cluster.tunnel) ++i;
    if (!directors_[i]) directors_[i] = penstock_director();
    return *directors_[i];
  }

  Session& session_;
  Heading heading_{"forwarding methods: TCP", "to first"};
  std::array<std::unique_ptr<PenstockDirector>, all_methods.size()> directors_;
};

}  // namespace

void print_method_table(Session& session) {
  MethodTable table(session);
  table.measure_and_print(rows_of_all(Traffic::known, "request"), 1, many);
  table.measure_and_print(rows_of_all(Traffic::known, "request"), quarter, many);
  for (const u32 connections : {1U, quarter}) {
    table.measure_and_print(both_ways(nat), connections, many);
    table.measure_and_print(both_ways(fullnat), connections, many);
  }
  table.measure_and_print(rows_of_all(Traffic::fresh, "new connection (SYN)"), quarter, few);
}

}  // namespace penstock::bench
