#include "doctor/look/director.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <string>

namespace penstock::doctor {
namespace {

namespace fs = std::filesystem;

bool has_entries(const fs::path& folder) {
  std::error_code problem;
  const fs::directory_iterator entries(folder, problem);
  return !problem && entries != fs::directory_iterator();
}

// The value of --bpffs in a command line as in /proc; empty: it isn't there.
std::string bpffs_option(const fs::path& command_line) {
  std::ifstream file(command_line);
  std::string word;
  while (std::getline(file, word, '\0')) {
    if (word == "--bpffs" && std::getline(file, word, '\0')) return word;
    if (word.starts_with("--bpffs=")) return word.substr(std::string_view("--bpffs=").size());
  }
  return "";
}

}  // namespace

Result<Director> ask_director(api::Director& director) {
  Director facts;
  auto services = director.services();
  if (!services) return fail(std::move(services.error()));
  auto locals = director.local_addresses();
  if (!locals) return fail(std::move(locals.error()));
  auto rules = director.mark_rules();
  if (!rules) return fail(std::move(rules.error()));
  auto info = director.info();
  if (!info) return fail(std::move(info.error()));
  const auto settings = director.settings();
  if (!settings) return fail(settings.error());
  const auto reasons = director.reasons();
  if (!reasons) return fail(reasons.error());
  facts.services = std::move(*services);
  facts.local_addresses = std::move(*locals);
  facts.mark_rules = std::move(*rules);
  facts.attached = std::move(info->interfaces);
  facts.connections_max = info->connections_max;
  facts.sends_nat_errors = std::ranges::any_of(
      *settings, [](const api::Setting& one) { return one.name == "nat_icmp_send" && one.value != "0"; });
  for (const api::Counter& counter : *reasons)
    facts.reasons.push_back({.name = counter.name, .packets = {counter.packets, counter.packets}});
  return facts;
}

Result<void> count_again(api::Director& director, Director& facts) {
  const auto reasons = director.reasons();
  if (!reasons) return fail(reasons.error());
  for (const api::Counter& counter : *reasons) {
    const auto found = std::ranges::find(facts.reasons, counter.name, &WatchedReason::name);
    if (found != facts.reasons.end()) found->packets.after = counter.packets;
  }
  return {};
}

void look_for_pins(const std::string& runtime, Director& facts) {
  std::ifstream lock(runtime + "/lock");
  unsigned process = 0;
  if (!(lock >> process)) return;
  const fs::path of_process = fmt::format("/proc/{}", process);
  const std::string chosen = bpffs_option(of_process / "cmdline");
  const std::string bpffs = chosen.empty() ? "/sys/fs/bpf" : chosen;
  facts.pins = fmt::format("{}/penstock/{}", bpffs, fs::path(runtime).filename().string());
  // Under `ip netns exec` the daemon itself sees another /sys and uses that of the first process.
  const std::string own = (of_process / "root").string() + facts.pins;
  facts.has_pins = has_entries(own) || has_entries("/proc/1/root" + facts.pins);
}

}  // namespace penstock::doctor
