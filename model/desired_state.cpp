#include "model/desired_state.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <limits>
#include <string>
#include <string_view>

#include "model/possible.hpp"

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

bool is_all(const Address& address, std::size_t length, std::uint8_t value) {
  return std::all_of(address.bytes.begin(), address.bytes.begin() + static_cast<std::ptrdiff_t>(length),
                     [&](std::uint8_t byte) { return byte == value; });
}

// IPVS: ip_vs_new_dest. A route to a unicast address is the next hop's affair,
// not the model's.
bool is_unicast(const Address& address) {
  const auto& bytes = address.bytes;
  if (address.family == Family::ipv4) return bytes[0] != 0 && (bytes[0] & 0xf0) != 0xe0 && !is_all(address, 4, 0xff);
  const bool link_local = bytes[0] == 0xfe && (bytes[1] & 0xc0) == 0x80;
  return bytes[0] != 0xff && !link_local && !is_all(address, 16, 0);
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
  if (const auto possible = check_possible(service); !possible) return with_context(on, possible.error());
  return {};
}

Result<void> check_server(const char* tried, const ServiceKey& key, const RealServer& server) {
  const std::string on = tried_on(tried, server.endpoint, key);
  const auto invalid = [&](const char* why) { return refuse(ErrorCode::invalid_argument, on, why, EINVAL); };
  const auto range = [&](const char* why) { return refuse(ErrorCode::out_of_range, on, why, ERANGE); };
  if (server.endpoint.address.family != key.vip.address.family && server.method != Method::tunnel)
    return invalid("a server of the other address family needs a tunnel");
  if (server.weight < 0) return range("a weight is not negative");
  if (server.lower_threshold > server.upper_threshold) return range("the lower threshold is above the upper one");
  if (server.upper_threshold > static_cast<std::uint32_t>(std::numeric_limits<std::int32_t>::max()))
    return invalid("the upper threshold is above 2147483647");
  if (!is_unicast(server.endpoint.address)) return invalid("not a unicast address");
  if (const auto possible = check_possible(server); !possible) return with_context(on, possible.error());
  return {};
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

}  // namespace penstock::model
