#include "model/desired_state.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <limits>
#include <string>
#include <string_view>

namespace penstock::model {
namespace {

// ipvs-spec.md §6; "none" is the kernel's word for no scheduler at all.
constexpr std::array<std::string_view, 15> scheduler_names = {"rr", "wrr", "lc", "wlc", "lblc", "lblcr", "dh",  "sh",
                                                              "mh", "sed", "nq", "fo",  "ovf",  "twos",  "none"};

std::string tried_on(const char* tried, const ServiceKey& key) {
  return std::string(tried) + " service " + to_string(key);
}

std::string tried_on(const char* tried, const Endpoint& server, const ServiceKey& key) {
  return std::string(tried) + " server " + to_string(server) + " of service " + to_string(key);
}

tl::unexpected<Error> refuse(ErrorCode code, std::string_view tried, const std::string& why, int errno_value) {
  return with_context(tried, Error{code, why, errno_value});
}

// What the sentence is about comes from the operator, not from IPVS: no errno.
tl::unexpected<Error> refuse_ours(std::string_view tried, const std::string& why) {
  return refuse(ErrorCode::invalid_argument, tried, why, 0);
}

Result<void> check_service(const char* tried, const Service& service) {
  const std::string on = tried_on(tried, service.key);
  const auto invalid = [&](const char* why) { return refuse(ErrorCode::invalid_argument, on, why, EINVAL); };
  if (std::find(scheduler_names.begin(), scheduler_names.end(), service.scheduler) == scheduler_names.end())
    return refuse(ErrorCode::not_found, on, "no scheduler " + service.scheduler, ENOENT);
  if (!service.persistence_engine.empty() && service.persistence_engine != "sip")
    return refuse(ErrorCode::not_found, on, "no persistence engine " + service.persistence_engine, ENOENT);
  if (service.key.vip.address.family == Family::ipv6 && (service.netmask < 1 || service.netmask > 128))
    return invalid("the netmask of IPv6 is a prefix length from 1 to 128");
  if (service.persistence_engine == "sip")
    return refuse(ErrorCode::unsupported, on, "the persistence engine sip is not available yet", EOPNOTSUPP);
  // The kernel takes such a service and schedules nobody; ipvsadm refuses before it asks.
  if (service.key.fwmark == 0 && service.key.vip.port == 0 && (service.flags & service_flag::persistent) == 0)
    return invalid("port 0, every port, needs persistence");
  return {};
}

// IPVS: a tunnel carries either family; nat and direct stay within one. fullnat, ours, also reaches IPv4 servers from an IPv6 service.
bool may_reach(Method method, Family service, Family server) {
  if (service == server || method == Method::tunnel) return true;
  return method == Method::fullnat && service == Family::ipv6;
}

tl::unexpected<Error> no_such_server(const char* tried, const ServiceKey& key, const Endpoint& endpoint) {
  return refuse(ErrorCode::not_found, tried_on(tried, endpoint, key), "no such server", ENOENT);
}

}  // namespace

std::optional<std::size_t> position_of(const ServiceEntry& entry, const Endpoint& endpoint) {
  for (std::size_t i = 0; i < entry.servers.size(); ++i)
    if (entry.servers[i].endpoint == endpoint) return i;
  return std::nullopt;
}

const ServiceEntry* DesiredState::find(const ServiceKey& key) const {
  for (const ServiceEntry& entry : services_)
    if (entry.service.key == key) return &entry;
  return nullptr;
}

Result<ServiceEntry*> DesiredState::need(const char* tried, const ServiceKey& key) {
  for (ServiceEntry& entry : services_)
    if (entry.service.key == key) return &entry;
  return refuse(ErrorCode::not_found, tried_on(tried, key), "no such service", ESRCH);
}

Result<void> DesiredState::check_server(const char* tried, const ServiceKey& key, const RealServer& server) const {
  const std::string on = tried_on(tried, server.endpoint, key);
  const auto invalid = [&](const char* why) { return refuse(ErrorCode::invalid_argument, on, why, EINVAL); };
  const auto range = [&](const char* why) { return refuse(ErrorCode::out_of_range, on, why, ERANGE); };
  const Family family = server.endpoint.address.family;
  if (server.method == Method::fullnat && !may_reach(server.method, key.vip.address.family, family))
    return refuse_ours(on, "fullnat does not lead from an IPv4 service to an IPv6 server");
  if (!may_reach(server.method, key.vip.address.family, family))
    return invalid("a server of the other address family needs a tunnel, or fullnat from IPv6 to IPv4");
  if (server.weight < 0) return range("a weight is not negative");
  if (server.lower_threshold > server.upper_threshold) return range("the lower threshold is above the upper one");
  if (server.upper_threshold > static_cast<std::uint32_t>(std::numeric_limits<std::int32_t>::max()))
    return invalid("the upper threshold is above 2147483647");
  if (!is_unicast(server.endpoint.address)) return invalid("not a unicast address");
  if (server.tunnel.type == TunnelType::gue && server.tunnel.port == 0) return invalid("a GUE tunnel needs a port");
  if (server.method == Method::fullnat && !has_local_address(family))
    return refuse_ours(on, std::string("fullnat needs a local ") + to_string(family) +
                               " address of the director: add one with penstock local add");
  return {};
}

Result<void> DesiredState::add_service(const Service& service) {
  if (find(service.key))
    return refuse(ErrorCode::already_exists, tried_on("adding", service.key), "it exists already", EEXIST);
  if (const auto checked = check_service("adding", service); !checked) return checked;
  services_.push_back(ServiceEntry{service, {}});
  return {};
}

Result<void> DesiredState::edit_service(const Service& service) {
  const auto entry = need("editing", service.key);
  if (!entry) return fail(entry.error());
  if (const auto checked = check_service("editing", service); !checked) return checked;
  (*entry)->service = service;
  return {};
}

Result<void> DesiredState::delete_service(const ServiceKey& key) {
  const auto entry = need("deleting", key);
  if (!entry) return fail(entry.error());
  services_.erase(services_.begin() + (*entry - services_.data()));
  return {};
}

Result<void> DesiredState::add_server(const ServiceKey& key, const RealServer& server) {
  const auto entry = need("adding a server to", key);
  if (!entry) return fail(entry.error());
  if (const auto checked = check_server("adding", key, server); !checked) return checked;
  if (position_of(**entry, server.endpoint))
    return refuse(ErrorCode::already_exists, tried_on("adding", server.endpoint, key), "it exists already", EEXIST);
  (*entry)->servers.insert((*entry)->servers.begin(), server);
  return {};
}

Result<void> DesiredState::edit_server(const ServiceKey& key, const RealServer& server) {
  const auto entry = need("editing a server of", key);
  if (!entry) return fail(entry.error());
  if (const auto checked = check_server("editing", key, server); !checked) return checked;
  const auto position = position_of(**entry, server.endpoint);
  if (!position) return no_such_server("editing", key, server.endpoint);
  (*entry)->servers[*position] = server;
  return {};
}

Result<void> DesiredState::delete_server(const ServiceKey& key, const Endpoint& endpoint) {
  const auto entry = need("deleting a server of", key);
  if (!entry) return fail(entry.error());
  const auto position = position_of(**entry, endpoint);
  if (!position) return no_such_server("deleting", key, endpoint);
  (*entry)->servers.erase((*entry)->servers.begin() + static_cast<std::ptrdiff_t>(*position));
  return {};
}

bool DesiredState::has_local_address(Family family) const {
  return std::ranges::any_of(local_addresses_, [&](const Address& address) { return address.family == family; });
}

bool DesiredState::needs_local_address(Family family) const {
  const auto needs = [&](const RealServer& server) {
    return server.method == Method::fullnat && server.endpoint.address.family == family;
  };
  return std::ranges::any_of(services_,
                             [&](const ServiceEntry& entry) { return std::ranges::any_of(entry.servers, needs); });
}

Result<void> DesiredState::add_local_address(const Address& address) {
  const std::string on = "adding local address " + to_string(address);
  if (!is_unicast(address) || is_loopback(address))
    return refuse(ErrorCode::invalid_argument, on, "not an address that real servers could answer to", EINVAL);
  if (std::ranges::find(local_addresses_, address) != local_addresses_.end())
    return refuse(ErrorCode::already_exists, on, "it exists already", EEXIST);
  if (local_addresses_.size() >= local_addresses_max)
    return refuse(ErrorCode::exhausted, on, "there are " + std::to_string(local_addresses_max) + " already", ENOSPC);
  local_addresses_.push_back(address);
  return {};
}

Result<void> DesiredState::delete_local_address(const Address& address) {
  const std::string on = "deleting local address " + to_string(address);
  const auto found = std::ranges::find(local_addresses_, address);
  if (found == local_addresses_.end()) return refuse(ErrorCode::not_found, on, "no such local address", ENOENT);
  const auto same_family = std::ranges::count(local_addresses_, address.family, &Address::family);
  if (same_family == 1 && needs_local_address(address.family))
    return refuse(ErrorCode::busy, on,
                  std::string("it is the last one of ") + to_string(address.family) +
                      ", and fullnat servers need it: delete these first, or add another",
                  EBUSY);
  local_addresses_.erase(found);
  return {};
}

Result<void> DesiredState::add_mark_rule(const MarkRule& rule) {
  const std::string on = "adding mark rule " + to_string(rule);
  if (const auto checked = check(rule); !checked) return with_context(on, checked.error());
  if (std::ranges::find(mark_rules_, rule) != mark_rules_.end())
    return refuse(ErrorCode::already_exists, on, "it exists already", EEXIST);
  if (mark_rules_.size() >= mark_rules_max)
    return refuse(ErrorCode::exhausted, on, "there are " + std::to_string(mark_rules_max) + " already", ENOSPC);
  mark_rules_.push_back(rule);
  return {};
}

Result<void> DesiredState::delete_mark_rule(const MarkRule& rule) {
  const auto found = std::ranges::find(mark_rules_, rule);
  if (found == mark_rules_.end())
    return refuse(ErrorCode::not_found, "deleting mark rule " + to_string(rule), "no such rule", ENOENT);
  mark_rules_.erase(found);
  return {};
}

}  // namespace penstock::model
