// Services that can't do what they were made for, whatever the network is like.
#include <fmt/format.h>

#include <algorithm>

#include "doctor/facts_about.hpp"
#include "doctor/rules.hpp"
#include "doctor/rules/each_server.hpp"

namespace penstock::doctor {
namespace {

// As ipvsadm takes it: "-t 192.0.2.1:80", "-f 5 -6".
std::string as_option(const model::ServiceKey& key) {
  if (key.fwmark != 0)
    return fmt::format("-f {}{}", key.fwmark, key.vip.address.family == model::Family::ipv6 ? " -6" : "");
  switch (key.protocol) {
    case model::Protocol::tcp:
      return "-t " + to_string(key.vip);
    case model::Protocol::udp:
      return "-u " + to_string(key.vip);
    case model::Protocol::sctp:
      return "--sctp-service " + to_string(key.vip);
  }
  return "";
}

bool has_rule(const Director& director, const model::ServiceKey& key) {
  return std::ranges::any_of(director.mark_rules, [&](const model::MarkRule& rule) {
    return rule.mark == key.fwmark && rule.family == key.vip.address.family;
  });
}

const char* word(model::Method method) { return method == model::Method::direct ? "Direct routing" : "A tunnel"; }

Finding port_ignored(const model::Service& service, const model::RealServer& server) {
  const std::string endpoint = to_string(server.endpoint);
  Finding finding{.fault = Fault::port_mapping_ignored,
                  .what = fmt::format("{} changes no ports: the port of real server {} in service {} has no effect.",
                                      word(server.method), endpoint, to_string(service.key)),
                  .mend = "Let the real server listen on the service's port, or use nat or fullnat:",
                  .commands = {fmt::format("ipvsadm -e {} -r {} -m", as_option(service.key), endpoint)}};
  return finding;
}

}  // namespace

Findings service_without_servers(const Facts& facts) {
  if (!facts.director) return {};
  Findings findings;
  for (const api::ServiceView& view : facts.director->services) {
    if (!view.servers.empty()) continue;
    const model::ServiceKey& key = view.service.key;
    findings.push_back({.fault = Fault::service_without_servers,
                        .what = fmt::format("Service {} has no real servers.", to_string(key)),
                        .mend = "Add some, or delete the service:",
                        .commands = {fmt::format("ipvsadm -a {} -r REAL_SERVER", as_option(key)),
                                     fmt::format("ipvsadm -D {}", as_option(key))}});
  }
  return findings;
}

Findings service_quiesced(const Facts& facts) {
  if (!facts.director) return {};
  Findings findings;
  for (const api::ServiceView& view : facts.director->services) {
    const auto is_quiesced = [](const api::ServerView& server) { return server.server.weight == 0; };
    if (view.servers.empty() || !std::ranges::all_of(view.servers, is_quiesced)) continue;
    findings.push_back(
        {.fault = Fault::service_quiesced,
         .what = fmt::format("All real servers of service {} have weight 0.", to_string(view.service.key)),
         .mend = "Give one of them a weight with `ipvsadm -e`."});
  }
  return findings;
}

Findings port_mapping_ignored(const Facts& facts) {
  if (!facts.director) return {};
  Findings findings;
  for_each_server(*facts.director, [&](const model::Service& service, const model::RealServer& server) {
    // The service's port is 0 for all ports and firewall marks.
    const bool names_another_port = server.endpoint.port != 0 && server.endpoint.port != service.key.vip.port;
    if (leaves_ip_alone(server.method) && names_another_port) findings.push_back(port_ignored(service, server));
  });
  return findings;
}

Findings mark_without_rule(const Facts& facts) {
  if (!facts.director) return {};
  Findings findings;
  for (const api::ServiceView& view : facts.director->services) {
    const model::ServiceKey& key = view.service.key;
    if (key.fwmark == 0 || has_rule(*facts.director, key)) continue;
    const bool is_ipv6 = key.vip.address.family == model::Family::ipv6;
    findings.push_back(
        {.fault = Fault::mark_without_rule,
         .what = fmt::format("No rule gives mark {}, so that service {} gets no packets.", key.fwmark, to_string(key)),
         .mend = "Add one; marks of iptables and nftables are not seen:",
         .commands = {fmt::format("penstock mark add {} --protocol tcp --destination {} --ports 80,443", key.fwmark,
                                  is_ipv6 ? "2001:db8::1" : "192.0.2.1")}});
  }
  return findings;
}

}  // namespace penstock::doctor
