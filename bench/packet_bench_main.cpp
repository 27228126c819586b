// What the director costs per packet, in nanoseconds. bench/README.md says how.
#include <fmt/format.h>
#include <sched.h>

#include <cstdio>
#include <cstdlib>
#include <string_view>

#include "bench/tables.hpp"

namespace penstock::bench {
namespace {

struct Options {
  u32 rounds = 15;
  std::string only;                       // part of a case's name
  std::vector<std::string> other_builds;  // object files
};

constexpr const char* usage = R"(usage: packet_bench [--rounds N] [--only TEXT] [--also FILE]...

  --rounds N   rounds of each case (15)
  --only TEXT  only cases whose name contains TEXT
  --also FILE  measure the packet path in another build's bpf/balance.bpf.o in the first table, too, in turns with the others
)";

Options options_of(int count, char** arguments) {
  Options options;
  for (int i = 1; i < count; i += 2) {
    const std::string_view name = arguments[i];
    const char* value = i + 1 < count ? arguments[i + 1] : nullptr;
    if (value && name == "--rounds" && std::atoi(value) > 0) {
      options.rounds = static_cast<u32>(std::atoi(value));
    } else if (value && name == "--only") {
      options.only = value;
    } else if (value && name == "--also") {
      options.other_builds.emplace_back(value);
    } else {
      fmt::print(stderr, "{}", usage);
      std::exit(2);
    }
  }
  return options;
}

// A process that moves between processors measures cold caches.
void stay_on_one_processor() {
  cpu_set_t allowed;
  if (sched_getaffinity(0, sizeof allowed, &allowed) != 0) return;
  std::size_t cpu = CPU_SETSIZE - 1;
  while (!CPU_ISSET(cpu, &allowed)) --cpu;
  CPU_ZERO(&allowed);
  CPU_SET(cpu, &allowed);
  (void)sched_setaffinity(0, sizeof allowed, &allowed);
}

int run(const Options& options) {
  stay_on_one_processor();
  Driver driver;
  Session session{driver, options.rounds, options.only};
  print_reference_table(session, options.other_builds);
  print_method_table(session);
  print_scheduler_table(session);
  print_other_table(session);
  print_flood(session);
  return 0;
}

}  // namespace
}  // namespace penstock::bench

int main(int count, char** arguments) { return penstock::bench::run(penstock::bench::options_of(count, arguments)); }
