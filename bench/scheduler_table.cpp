#include <fmt/format.h>

#include "bench/tables.hpp"

namespace penstock::bench {
namespace {

// These look at every server for each connection, the others at one.
constexpr const char* all_looking[] = {"lc", "wlc", "sed", "nq"};
constexpr const char* one_looking[] = {"rr", "wrr", "sh", "dh", "mh"};

PacketCase case_of(const char* scheduler, u32 servers) {
  return {.name = fmt::format("{}: new connection (SYN), {} servers", scheduler, servers),
          .traffic = Traffic::fresh,
          .connections = quarter,
          .packets = few,
          .cluster = {.scheduler = scheduler, .servers = servers}};
}

class SchedulerTable {
 public:
  explicit SchedulerTable(Session& session) : session_(session) {}

  // The last column: what each further server costs.
  void measure_and_print(const char* scheduler, std::initializer_list<u32> sizes, bool looks_at_all) {
    double first = 0;
    for (const u32 servers : sizes) {
      const PacketCase which = case_of(scheduler, servers);
      if (!session_.wants(which.name)) continue;
      heading_.print_once();
      if (!director_) director_ = penstock_director();
      const Subject subject{director_.get(), which};
      const Quartiles ns = measure(session_.driver, {&subject, 1}, session_.rounds).front().ns;
      if (servers == *sizes.begin()) first = ns.median;
      fmt::print("{:<46}{:>18}", which.name, cell(ns));
      if (looks_at_all && servers != *sizes.begin() && first != 0)
        fmt::print("{:>10.2f}", (ns.median - first) / (servers - *sizes.begin()));
      fmt::print("\n");
      std::fflush(stdout);
    }
  }

 private:
  Session& session_;
  Heading heading_{"schedulers", "a server"};
  std::unique_ptr<PenstockDirector> director_;
};

}  // namespace

void print_scheduler_table(Session& session) {
  SchedulerTable table(session);
  for (const char* scheduler : one_looking) table.measure_and_print(scheduler, {2, 100, 1000, 4000}, false);
  for (const char* scheduler : all_looking) table.measure_and_print(scheduler, {10, 100, 1000}, true);
}

}  // namespace penstock::bench
