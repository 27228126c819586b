// What the operator wants: services in the order they were made, each with its
// real servers; local addresses, mark rules and settings. IPVS's rules between
// them and its errno for each refusal (include/uapi/linux/ip_vs.h, ip_vs_ctl.c).
// A refused command changes nothing. What IPVS does not know is refused with
// errno 0, so that ipvsadm says our sentence instead of its own.
//
// Servers stand newest first: IPVS puts a new one at the head of its list, and
// rr, wrr and ties walk from there. Editing does not move a server.
#pragma once

#include <cstddef>
#include <optional>
#include <vector>

#include "base/result.hpp"
#include "model/mark_rule.hpp"
#include "model/service.hpp"
#include "model/setting.hpp"

namespace penstock::model {

inline constexpr std::size_t local_addresses_max = 255;  // a byte in each connection names one

struct ServiceEntry {
  Service service;
  std::vector<RealServer> servers;  // newest first

  friend bool operator==(const ServiceEntry&, const ServiceEntry&) = default;
};

// Where `endpoint` stands in the list, counted from the newest.
[[nodiscard]] std::optional<std::size_t> position_of(const ServiceEntry& entry, const Endpoint& endpoint);

class DesiredState {
 public:
  // EEXIST: there is such a service; ENOENT: no such scheduler or engine;
  // EINVAL: port 0 without persistence; EOPNOTSUPP: the engine sip.
  Result<void> add_service(const Service& service);
  // Replaces everything but key and servers. ESRCH: no such service.
  Result<void> edit_service(const Service& service);
  Result<void> delete_service(const ServiceKey& key);
  // Services and their servers; all else stays, as iptables rules and sysctls do.
  void flush() { services_.clear(); }

  // ESRCH: no such service; EEXIST: the service has this server; ERANGE: weight
  // or thresholds; EINVAL: its address or tunnel; errno 0: fullnat without a
  // local address of the server's family.
  Result<void> add_server(const ServiceKey& key, const RealServer& server);
  // ENOENT: the service has no such server.
  Result<void> edit_server(const ServiceKey& key, const RealServer& server);
  Result<void> delete_server(const ServiceKey& key, const Endpoint& endpoint);

  // The director's addresses that fullnat connects from. EEXIST, ENOENT; EINVAL:
  // not a host's address; EBUSY: the last one of its family, and fullnat servers
  // need it.
  Result<void> add_local_address(const Address& address);
  Result<void> delete_local_address(const Address& address);

  // A new rule stands last. EEXIST: there is an identical one; ENOENT: there is
  // none; ENOSPC: mark_rules_max.
  Result<void> add_mark_rule(const MarkRule& rule);
  Result<void> delete_mark_rule(const MarkRule& rule);
  void clear_mark_rules() { mark_rules_.clear(); }

  // ENOENT, EINVAL: setting.hpp.
  Result<void> set_setting(std::string_view name, std::string_view value) { return change(settings_, name, value); }

  [[nodiscard]] const std::vector<Address>& local_addresses() const { return local_addresses_; }
  [[nodiscard]] const std::vector<MarkRule>& mark_rules() const { return mark_rules_; }
  [[nodiscard]] const Settings& settings() const { return settings_; }
  [[nodiscard]] const std::vector<ServiceEntry>& services() const { return services_; }
  [[nodiscard]] const ServiceEntry* find(const ServiceKey& key) const;

  friend bool operator==(const DesiredState&, const DesiredState&) = default;

 private:
  // ESRCH, as "<tried> <key>: no such service".
  Result<ServiceEntry*> need(const char* tried, const ServiceKey& key);

  Result<void> check_server(const char* tried, const ServiceKey& key, const RealServer& server) const;
  [[nodiscard]] bool has_local_address(Family family) const;
  [[nodiscard]] bool needs_local_address(Family family) const;

  std::vector<ServiceEntry> services_;
  std::vector<Address> local_addresses_;
  std::vector<MarkRule> mark_rules_;
  Settings settings_;
};

}  // namespace penstock::model
