// What the director costs per packet, in nanoseconds, next to a reference on the kernel's hash maps. bench/README.md says how.
#include <fmt/format.h>
#include <sched.h>

#include <cstdlib>
#include <string_view>

#include "bench/measure.hpp"

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
  --also FILE  measure the packet path in another build's bpf/balance.bpf.o too, in turns with the others
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

std::vector<std::unique_ptr<Director>> directors_of(const Options& options) {
  std::vector<std::unique_ptr<Director>> directors;
  directors.push_back(penstock_director());
  directors.push_back(reference_director());
  for (const std::string& file : options.other_builds) directors.push_back(penstock_director(file));
  return directors;
}

std::string cell(const Quartiles& ns) { return fmt::format("{:.0f} ({:.0f}-{:.0f})", ns.median, ns.low, ns.high); }

void print_heading(const std::vector<std::unique_ptr<Director>>& directors) {
  fmt::print("{:<46}", "ns per packet, net: median (quartiles)");
  for (const auto& director : directors) fmt::print("{:>18}", director->name());
  fmt::print("{:>8}\n", "ratio");
}

void print_row(const PacketCase& which, const std::vector<Quartiles>& results) {
  fmt::print("{:<46}", which.name);
  for (const Quartiles& result : results) fmt::print("{:>18}", cell(result));
  fmt::print("{:>8.2f}\n", results[0].median / results[1].median);
  std::fflush(stdout);
}

int run(const Options& options) {
  stay_on_one_processor();
  const auto directors = directors_of(options);
  Driver driver;
  print_heading(directors);
  for (const PacketCase& which : packet_cases())
    if (std::string_view(which.name).find(options.only) != std::string_view::npos)
      print_row(which, measure(driver, directors, which, options.rounds));
  return 0;
}

}  // namespace
}  // namespace penstock::bench

int main(int count, char** arguments) { return penstock::bench::run(penstock::bench::options_of(count, arguments)); }
