#include "tests/golden/machine.hpp"

#include <algorithm>
#include <array>

#include "model/setting.hpp"
#include "tests/golden/command.hpp"
#include "tests/golden/proc_files.hpp"

namespace penstock::golden {

namespace {

using Words = std::vector<std::string>;

constexpr std::string_view settings_folder = "/proc/sys/net/ipv4/vs";

// What the recorded kernel did not have: settings of modules that were not loaded, and Penstock's own.
bool is_recorded(std::string_view setting) {
  constexpr std::array absent = {"lblc_expiration", "lblcr_expiration", "toa_kind"};
  return std::find(absent.begin(), absent.end(), setting) == absent.end();
}

// "/proc/sys/net/ipv4/vs/sloppy_tcp" -> "sloppy_tcp"
std::optional<std::string> setting_at(const std::string& path) {
  if (!path.starts_with(std::string(settings_folder) + "/")) return std::nullopt;
  return path.substr(settings_folder.size() + 1);
}

bool begins_with(const Words& words, const Words& start) {
  return words.size() >= start.size() && std::equal(start.begin(), start.end(), words.begin());
}

// Schedulers and FTP are part of the director, and need no module.
bool is_needless_module(const Words& words) {
  return words.size() == 2 && words[0] == "modprobe" && words[1].starts_with("ip_vs") && words[1] != "ip_vs_pe_sip";
}

// Policy routing that makes marked packets local, so that kernel IPVS in its INPUT hook sees them. Penstock sees packets before
// they are routed.
bool is_needless_route(const Words& words) {
  const bool by_table = std::find(words.begin(), words.end(), "table") != words.end();
  return begins_with(words, {"ip", "rule", "add", "fwmark"}) ||
         begins_with(words, {"ip", "-6", "rule", "add", "fwmark"}) ||
         (by_table && (begins_with(words, {"ip", "route", "add", "local"}) ||
                       begins_with(words, {"ip", "-6", "route", "add", "local"})));
}

}  // namespace

Result<StepResult> Machine::run_line(const std::string& line, const std::string& input) {
  return run_shell(line, input, *this, [this](const Words& words, const std::string& given) {
    return run_ipvsadm(words, given, director_);
  });
}

Result<void> Machine::run_guest(const Words& words) {
  if (MarkChain::is_for_iptables(words)) {
    if (auto done = marks_.run(words); !done) return done;
    return apply_marks();
  }
  if (is_needless_module(words) || is_needless_route(words)) return {};
  std::string line;
  for (const std::string& word : words) line += " " + word;
  return fail(ErrorCode::unsupported, "a step of the machine itself:" + line);
}

// The director appends rules and knows none twice; of equal ones the last counts.
Result<void> Machine::apply_marks() {
  const auto present = director_.mark_rules();
  if (!present) return tl::unexpected(present.error());
  for (const model::MarkRule& rule : *present) {
    if (auto done = director_.delete_mark_rule(rule); !done) return done;
  }
  const auto wanted = marks_.rules();
  for (auto rule = wanted.begin(); rule != wanted.end(); ++rule) {
    if (std::find(rule + 1, wanted.end(), *rule) != wanted.end()) continue;
    if (auto done = director_.add_mark_rule(*rule); !done) return done;
  }
  return {};
}

Result<void> Machine::set(const std::string& name, const std::string& value) {
  if (!name.starts_with(model::setting_prefix)) return fail(ErrorCode::unsupported, "setting " + name);
  return director_.set_setting(name.substr(model::setting_prefix.size()), value);
}

Result<std::string> Machine::read(const std::string& path) {
  if (const auto setting = setting_at(path)) return read_setting(*setting);
  if (path == "/proc/net/ip_vs") return read_services();
  if (path == "/proc/net/ip_vs_stats") return subject_.totals().map(print_proc_stats);
  const auto file = files_.find(path);
  if (file == files_.end()) return fail(ErrorCode::unsupported, "reading " + path);
  return file->second;
}

Result<std::string> Machine::read_setting(const std::string& name) {
  const auto settings = director_.settings();
  if (!settings) return tl::unexpected(settings.error());
  for (const api::Setting& setting : *settings) {
    if (setting.name == name) return setting.value + "\n";
  }
  return fail(ErrorCode::unsupported, "reading setting " + name);
}

Result<std::string> Machine::read_services() {
  const auto services = director_.services();
  if (!services) return tl::unexpected(services.error());
  const auto info = director_.info();
  if (!info) return tl::unexpected(info.error());
  return print_proc_services(*services, *info);
}

Result<void> Machine::write(const std::string& path, const std::string& text) {
  if (const auto setting = setting_at(path)) return set(std::string(model::setting_prefix) + *setting, text);
  if (path.starts_with("/proc/")) return fail(ErrorCode::unsupported, "writing " + path);
  files_[path] = text;
  return {};
}

std::vector<std::string> Machine::list(const std::string& folder) {
  std::vector<std::string> names;
  if (folder != settings_folder) return names;
  const auto settings = director_.settings();
  if (!settings) return names;
  for (const api::Setting& setting : *settings) {
    if (is_recorded(setting.name)) names.push_back(setting.name);
  }
  return names;
}

}  // namespace penstock::golden
