#include "model/setting.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cerrno>
#include <charconv>
#include <cstdlib>
#include <optional>
#include <vector>

namespace penstock::model {
namespace {

using enum SettingForm;

constexpr std::uint32_t any = 0x7fffffff;          // the kernel's int
constexpr std::uint32_t seconds_max = any / 1000;  // as ticks they are still an int, whatever the kernel's HZ
constexpr std::uint32_t defence_max = 3;           // drop_entry, drop_packet, secure_tcp: off, idle, active, always
constexpr std::uint32_t sync_ports_max = 64;       // IP_VS_SYNC_PORTS_MAX

constexpr std::array rules = {
    SettingRule{"am_droprate", "10", 0, any, number,
                "drop_packet 3 drops every so many-th packet that begins a connection"},
    SettingRule{"amemthresh", "1024", 0, any, number, "pages of free memory below which the defences 1 and 2 begin"},
    SettingRule{"backup_only", "0", 0, any, number, "no effect: directors do not share connections yet"},
    SettingRule{"cache_bypass", "0", 0, any, number,
                "without a real server, marked packets go on to their destination"},
    SettingRule{"conn_reuse_mode", "1", 0, any, number,
                "a new connection from the port of an old one: 0 the old server, 1 scheduled anew, 2 also after FIN"},
    SettingRule{"conntrack", "0", 0, any, number, "no effect: Penstock needs no conntrack"},
    SettingRule{"debug_level", "0", 0, any, number, "no effect: see penstockd --help for its log"},
    SettingRule{"drop_entry", "0", 0, defence_max, number,
                "end half-open and idle connections at random: 0 never, 1 and 2 short of memory, 3 always"},
    SettingRule{"drop_packet", "0", 0, defence_max, number,
                "drop new connections: 0 never, 1 and 2 short of memory, 3 always"},
    SettingRule{"expire_nodest_conn", "0", 0, any, number,
                "connections of a removed server: 0 are dropped, 1 may begin anew"},
    SettingRule{"expire_quiescent_template", "0", 0, any, number,
                "1: persistence does not lead to a server of weight 0"},
    SettingRule{"ignore_tunneled", "0", 0, any, number,
                "no effect: what a tunnel device unwraps is seen again only where penstockd is attached to it"},
    SettingRule{"lblc_expiration", "86400", 0, seconds_max, number, "lblc forgets a destination after so many seconds"},
    SettingRule{"lblcr_expiration", "86400", 0, seconds_max, number,
                "lblcr shrinks a set that did not change for so many seconds"},
    SettingRule{"nat_icmp_send", "0", 0, any, number,
                "1: a nat server's packet without a connection is answered by ICMP"},
    SettingRule{"pmtu_disc", "1", 0, any, number, "0: tunnels fragment instead of telling clients their MTU"},
    SettingRule{"run_estimation", "1", 0, any, number, "0: rates stand still"},
    SettingRule{"schedule_icmp", "0", 0, any, number, "1: an ICMP error of no connection is scheduled"},
    SettingRule{"secure_tcp", "0", 0, defence_max, number,
                "stricter TCP states: 0 never, 1 and 2 short of memory, 3 always"},
    SettingRule{"sloppy_sctp", "0", 0, any, number, "1: any packet but ABORT begins an SCTP connection"},
    SettingRule{"sloppy_tcp", "0", 0, any, number, "1: any segment but RST begins a TCP connection"},
    SettingRule{"snat_reroute", "1", 0, any, number, "no effect: replies leave by the way the client's packets came"},
    SettingRule{"sync_persist_mode", "0", 0, any, number, "no effect: directors do not share connections yet"},
    SettingRule{"sync_ports", "1", 1, sync_ports_max, power_of_two,
                "no effect: directors do not share connections yet"},
    SettingRule{"sync_qlen_max", "4096", 0, any, number, "no effect: directors do not share connections yet"},
    SettingRule{"sync_refresh_period", "0", 0, seconds_max, number,
                "no effect: directors do not share connections yet"},
    SettingRule{"sync_retries", "0", 0, 3, number, "no effect: directors do not share connections yet"},
    SettingRule{"sync_sock_size", "0", 0, any, number, "no effect: directors do not share connections yet"},
    SettingRule{"sync_threshold", "3\t50", 0, any, threshold_and_period,
                "no effect: directors do not share connections yet"},
    SettingRule{"sync_version", "1", 0, 1, number, "no effect: directors do not share connections yet"},
    SettingRule{"toa_kind", "254", 0, 255, number,
                "TCP option that tells a fullnat server its client; 0: none (Penstock's own)"},
};
static_assert(std::ranges::is_sorted(rules, {}, &SettingRule::name));

// Numbers and blanks, as the kernel reads a vector of integers; nothing for anything else.
std::optional<std::vector<std::uint32_t>> parse_numbers(std::string_view text) {
  std::vector<std::uint32_t> numbers;
  for (;;) {
    const auto begin = text.find_first_not_of(" \t\n");
    if (begin == std::string_view::npos) return numbers;
    text.remove_prefix(begin);
    std::uint32_t value = 0;
    const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), value);
    const bool ends = end == text.data() + text.size() || *end == ' ' || *end == '\t' || *end == '\n';
    if (problem != std::errc() || !ends) return std::nullopt;
    numbers.push_back(value);
    text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  }
}

tl::unexpected<Error> invalid(const SettingRule& rule, std::string_view value, const std::string& why) {
  return fail(ErrorCode::invalid_argument,
              "setting " + std::string(rule.name) + " to \"" + std::string(value) + "\": " + why, EINVAL);
}

std::string bounds(const SettingRule& rule) { return std::to_string(rule.min) + " to " + std::to_string(rule.max); }

// IPVS: proc_do_sync_threshold. A third number is ignored, as there.
Result<std::string> read_pair(const SettingRule& rule, std::string_view now, std::string_view value) {
  auto numbers = parse_numbers(value);
  if (!numbers || numbers->empty()) return invalid(rule, value, "two numbers are expected, threshold and period");
  if (numbers->size() == 1) numbers->push_back(parse_numbers(now).value()[1]);
  const std::uint32_t threshold = (*numbers)[0];
  const std::uint32_t period = (*numbers)[1];
  if (threshold > rule.max || period > rule.max) return invalid(rule, value, "each number is " + bounds(rule));
  if (period != 0 && threshold >= period)
    return invalid(rule, value, "the threshold is below the period, or that is 0");
  return std::to_string(threshold) + "\t" + std::to_string(period);
}

Result<std::string> read_number(const SettingRule& rule, std::string_view value) {
  const auto numbers = parse_numbers(value);
  const bool fits = numbers && numbers->size() == 1 && numbers->front() >= rule.min && numbers->front() <= rule.max;
  if (!fits) return invalid(rule, value, "a number from " + bounds(rule) + " is expected");
  if (rule.form == power_of_two && !std::has_single_bit(numbers->front()))
    return invalid(rule, value, "a power of two from " + bounds(rule) + " is expected");
  return std::to_string(numbers->front());
}

}  // namespace

std::span<const SettingRule> setting_rules() { return rules; }

Result<const SettingRule*> find_setting(std::string_view name) {
  const std::string_view own = name.starts_with(setting_prefix) ? name.substr(setting_prefix.size()) : name;
  const auto found = std::ranges::find(rules, own, &SettingRule::name);
  if (found == rules.end())
    return fail(ErrorCode::not_found, "no setting is called \"" + std::string(name) + "\"", ENOENT);
  return &*found;
}

std::string_view value_of(const Settings& settings, const SettingRule& rule) {
  const auto changed = settings.find(rule.name);
  return changed == settings.end() ? rule.initial : std::string_view(changed->second);
}

std::uint32_t number_of(const Settings& settings, std::string_view name) {
  const auto rule = find_setting(name);
  if (!rule || (*rule)->form == threshold_and_period) std::abort();
  return parse_numbers(value_of(settings, **rule)).value().at(0);
}

Result<void> change(Settings& settings, std::string_view name, std::string_view value) {
  const auto rule = find_setting(name);
  if (!rule) return fail(rule.error());
  const auto read = (*rule)->form == threshold_and_period ? read_pair(**rule, value_of(settings, **rule), value)
                                                          : read_number(**rule, value);
  if (!read) return fail(read.error());
  if (*read == (*rule)->initial)
    settings.erase(std::string((*rule)->name));
  else
    settings[std::string((*rule)->name)] = *read;
  return {};
}

}  // namespace penstock::model
