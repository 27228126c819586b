// The tables that packet_bench prints, one a file.
#pragma once

#include <string>
#include <vector>

#include "bench/measure.hpp"

namespace penstock::bench {

struct Session {
  Driver& driver;
  u32 rounds;
  std::string only;  // part of a case's name

  [[nodiscard]] bool wants(const std::string& name) const { return name.find(only) != std::string::npos; }
};

// Direct routing, next to the reference and to other builds.
void print_reference_table(Session& session, const std::vector<std::string>& other_builds);
// Forwarding methods next to direct routing, replies next to requests.
void print_method_table(Session& session);
// New connections, by scheduler and number of servers.
void print_scheduler_table(Session& session);
// Persistence, marks, fragments, ICMP, and what is not for us.
void print_other_table(Session& session);
// What a flood leaves standing.
void print_flood(Session& session);

[[nodiscard]] std::string cell(const Quartiles& ns);

// Printed before a table's first row, if it has any.
class Heading {
 public:
  Heading(const char* rows, const char* last_column) : rows_(rows), last_column_(last_column) {}
  void print_once();

 private:
  const char* rows_;
  const char* last_column_;
  bool printed_ = false;
};

inline constexpr u32 many = 1U << 19;     // packets of a round
inline constexpr u32 few = 1U << 15;      // new connections of a round
inline constexpr u32 quarter = 1U << 18;  // connections: a quarter of what the table holds
inline constexpr u32 half = 1U << 19;

}  // namespace penstock::bench
