#include "cli/ipvsadm_options.hpp"

#include <fmt/format.h>

#include "cli/ipvsadm_tunnel.hpp"

namespace penstock::cli {
namespace {

using enum Option;

struct Rule {
  const char* name;
  OptionSet required;
  OptionSet allowed;
  OptionSet exclusive;  // at most one of these
};

constexpr OptionSet of_service = {scheduler, persistent, netmask, ops, pe, sched_flags};
constexpr OptionSet of_server = {forwarding_method, weight,     u_threshold, l_threshold, tun_type,
                                 tun_port,          tun_nocsum, tun_csum,    tun_remcsum};
// -L takes --syncid and, like ipvsadm, makes nothing of it.
constexpr OptionSet of_list = {numeric, stats, rate, thresholds, persistent_conn, nosort, syncid, exact, tun_info};
constexpr OptionSet of_daemon = {mcast_interface, syncid, mcast_group, mcast_port, mcast_ttl, sync_maxlen};

Rule rule_of(Verb verb) {
  switch (verb) {
    case Verb::list:
      return {"list", {}, of_list, {connection, service_address, timeout, daemon}};
    case Verb::add_service:
      return {"add-service", {service_address}, of_service, {}};
    case Verb::edit_service:
      return {"edit-service", {service_address}, of_service, {}};
    case Verb::delete_service:
      return {"delete-service", {service_address}, {}, {}};
    case Verb::flush:
      return {"flush", {}, {}, {}};
    case Verb::add_server:
      return {"add-server", {service_address, real_server}, of_server, {}};
    case Verb::edit_server:
      return {"edit-server", {service_address, real_server}, of_server, {}};
    case Verb::delete_server:
      return {"delete-server", {service_address, real_server}, {}, {}};
    case Verb::zero:
      return {"zero", {}, {service_address}, {}};
    case Verb::restore:
      return {"restore", {}, {}, {}};
    case Verb::save:
      return {"save", {}, {numeric}, {}};
    case Verb::set_timeouts:
      return {"set", {}, {}, {}};
    case Verb::start_daemon:
      return {"start-daemon", {}, of_daemon, {}};
    case Verb::stop_daemon:
      return {"stop-daemon", {}, {syncid}, {}};
    case Verb::help:
      return {"help", {}, {}, {}};
    case Verb::version:
      return {"version", {}, {}, {}};
  }
  return {"", {}, {}, {}};
}

Rule rule_of(model::TunnelType type) {
  switch (type) {
    case model::TunnelType::ipip:
      return {to_string(type), {}, {}, {}};
    case model::TunnelType::gue:
      return {to_string(type), {tun_port}, {}, {tun_nocsum, tun_csum, tun_remcsum}};
    case model::TunnelType::gre:
      return {to_string(type), {}, {}, {tun_nocsum, tun_csum}};
  }
  return {"", {}, {}, {}};
}

// `noun`: what the rule is about, "command" or "tunnel type".
std::optional<std::string> first_violation(const Rule& rule, const char* noun, OptionSet given, Option from) {
  std::optional<Option> chosen;
  for (auto index = static_cast<unsigned>(from); index < option_count; ++index) {
    const auto option = static_cast<Option>(index);
    if (!given.has(option)) {
      if (rule.required.has(option))
        return fmt::format("You need to supply the '{}' option for the '{}' {}", to_string(option), rule.name, noun);
      continue;
    }
    if (rule.exclusive.has(option)) {
      if (chosen)
        return fmt::format("The option '{}' conflicts with the '{}' option in the '{}' {}", to_string(option),
                           to_string(*chosen), rule.name, noun);
      chosen = option;
    } else if (!rule.required.has(option) && !rule.allowed.has(option)) {
      return fmt::format("Illegal '{}' option with the '{}' {}", to_string(option), rule.name, noun);
    }
  }
  return std::nullopt;
}

}  // namespace

const char* to_string(Option option) {
  switch (option) {
    case numeric:
      return "numeric";
    case connection:
      return "connection";
    case service_address:
      return "service-address";
    case scheduler:
      return "scheduler";
    case persistent:
      return "persistent";
    case netmask:
      return "netmask";
    case real_server:
      return "real-server";
    case forwarding_method:
      return "forwarding-method";
    case weight:
      return "weight";
    case u_threshold:
      return "u-threshold";
    case l_threshold:
      return "l-threshold";
    case mcast_interface:
      return "mcast-interface";
    case timeout:
      return "timeout";
    case daemon:
      return "daemon";
    case stats:
      return "stats";
    case rate:
      return "rate";
    case thresholds:
      return "thresholds";
    case persistent_conn:
      return "persistent-conn";
    case nosort:
      return "nosort";
    case syncid:
      return "syncid";
    case exact:
      return "exact";
    case ops:
      return "ops";
    case pe:
      return "pe";
    case sched_flags:
      return "sched-flags";
    case mcast_group:
      return "mcast-group";
    case mcast_port:
      return "mcast-port";
    case mcast_ttl:
      return "mcast-ttl";
    case sync_maxlen:
      return "sync-maxlen";
    case tun_info:
      return "tun-info";
    case tun_type:
      return "tun-type";
    case tun_port:
      return "tun-port";
    case tun_nocsum:
      return "tun-nocsum";
    case tun_csum:
      return "tun-csum";
    case tun_remcsum:
      return "tun-remcsum";
  }
  return "";
}

std::optional<std::string> violation(Verb verb, OptionSet given) {
  return first_violation(rule_of(verb), "command", given, numeric);
}

std::optional<std::string> violation(model::TunnelType type, OptionSet given) {
  return first_violation(rule_of(type), "tunnel type", given, tun_port);
}

}  // namespace penstock::cli
