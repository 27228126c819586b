#include "cli/ipvsadm_save.hpp"

#include <fmt/ostream.h>

#include "cli/ipvsadm_flags.hpp"
#include "cli/ipvsadm_listing.hpp"
#include "cli/ipvsadm_order.hpp"
#include "cli/ipvsadm_tunnel.hpp"

namespace penstock::cli {
namespace {

const char* protocol_option(model::Protocol protocol) {
  switch (protocol) {
    case model::Protocol::tcp:
      return "-t";
    case model::Protocol::udp:
      return "-u";
    case model::Protocol::sctp:
      return "--sctp-service";
  }
  return "";
}

const char* method_option(model::Method method) {
  switch (method) {
    case model::Method::nat:
      return "-m";
    case model::Method::tunnel:
      return "-i";
    case model::Method::local:
    case model::Method::direct:
      return "-g";
    case model::Method::fullnat:
      return "--fullnat";
  }
  return "";
}

std::string key_options(const model::ServiceKey& key, const AddressText& address) {
  if (key.fwmark == 0) return fmt::format("{} {}", protocol_option(key.protocol), address.full(key.vip, key.protocol));
  const bool ipv6 = key.vip.address.family == model::Family::ipv6;
  return fmt::format("-f {}{}", static_cast<std::int32_t>(key.fwmark), ipv6 ? " -6" : "");
}

std::string service_options(const model::Service& service) {
  std::string options = " -s " + service.scheduler;
  if ((service.flags & model::service_flag::persistent) != 0) {
    options += fmt::format(" -p {}", service.persistence_timeout_s);
    if (const auto mask = netmask_text(service)) options += " -M " + *mask;
  }
  if (!service.persistence_engine.empty()) options += " --pe " + service.persistence_engine;
  if ((service.flags & model::service_flag::one_packet) != 0) options += " -o";
  if (has_scheduler_flags(service.flags)) options += " -b " + scheduler_flags_text(service.flags, service.scheduler);
  return options;
}

std::string server_options(const model::RealServer& server) {
  const std::string options = fmt::format(" {} -w {}", method_option(server.method), server.weight);
  return server.method == model::Method::tunnel ? options + tunnel_options(server.tunnel) : options;
}

}  // namespace

void save_service(std::ostream& out, api::ServiceView view, const AddressText& address) {
  const model::ServiceKey& key = view.service.key;
  const std::string service = key_options(key, address);
  fmt::print(out, "-A {}{}\n", service, service_options(view.service));
  sort_servers(view.servers);
  for (const api::ServerView& each : view.servers)
    fmt::print(out, "-a {} -r {}{}\n", service, address.full(each.server.endpoint, naming_protocol(key)),
               server_options(each.server));
}

}  // namespace penstock::cli
