#include "lab/traffic.hpp"

#include <fmt/format.h>

#include <charconv>
#include <cmath>

#include "lab/network_plan.hpp"
#include "lab/process.hpp"

namespace penstock::lab {
namespace {

Result<std::uint64_t> read_counter(const std::string& path) {
  const auto text = read_file(path);
  if (!text) return fail(text.error());
  std::uint64_t value = 0;
  std::from_chars(text->data(), text->data() + text->size(), value);
  return value;
}

// What the port receives, its host has sent.
Result<LinkCounters> read_port(const std::string& statistics) {
  LinkCounters counters;
  const std::pair<const char*, std::uint64_t*> files[] = {{"rx_packets", &counters.from_host.packets},
                                                          {"rx_bytes", &counters.from_host.bytes},
                                                          {"tx_packets", &counters.to_host.packets},
                                                          {"tx_bytes", &counters.to_host.bytes}};
  for (const auto& [name, counter] : files) {
    const auto value = read_counter(statistics + name);
    if (!value) return fail(value.error());
    *counter = *value;
  }
  return counters;
}

// A port that was made anew begins at zero.
double growth(std::uint64_t before, std::uint64_t after) {
  return after > before ? static_cast<double>(after - before) : 0.0;
}

Rate rate(const Counters& before, const Counters& after, double seconds) {
  constexpr double bits_in_a_byte = 8;
  return {.packets = growth(before.packets, after.packets) / seconds,
          .bits = growth(before.bytes, after.bytes) * bits_in_a_byte / seconds};
}

}  // namespace

Result<Traffic> read_traffic(const Topology& topology, pid_t switch_pid) {
  Traffic traffic;
  for (const Host& host : topology.hosts) {
    for (const Port& port : ports_of(topology, host)) {
      // The switch's own /sys shows its own interfaces.
      const auto counters = read_port(fmt::format("/proc/{}/root/sys/class/net/{}/statistics/", switch_pid, port.name));
      if (!counters) return fail(counters.error());
      traffic.push_back(*counters);
    }
  }
  return traffic;
}

std::vector<LinkRate> rates(const Traffic& before, const Traffic& after, std::chrono::duration<double> apart) {
  std::vector<LinkRate> all(after.size());
  for (std::size_t i = 0; i < std::min(before.size(), after.size()) && apart.count() > 0; ++i) {
    all[i] = {.from_host = rate(before[i].from_host, after[i].from_host, apart.count()),
              .to_host = rate(before[i].to_host, after[i].to_host, apart.count())};
  }
  return all;
}

std::string short_number(double number) {
  constexpr std::string_view units = " kMGT";
  std::size_t unit = 0;
  // 999.5 would be printed as 1000.
  for (; number >= 999.5 && unit + 1 < units.size(); ++unit) number /= 1000;
  if (unit == 0) return fmt::format("{:.0f}", number);
  const int decimals = number < 9.995 ? 2 : number < 99.95 ? 1 : 0;
  return fmt::format("{:.{}f}{}", number, decimals, units[unit]);
}

}  // namespace penstock::lab
