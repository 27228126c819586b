// What the operator wants: services in the order they were made, each with its
// real servers. IPVS's rules between them and its errno for each refusal
// (include/uapi/linux/ip_vs.h, ip_vs_ctl.c). A refused command changes nothing.
//
// Servers stand newest first: IPVS puts a new one at the head of its list, and
// rr, wrr and ties walk from there. Editing does not move a server.
#pragma once

#include <cstddef>
#include <optional>
#include <vector>

#include "base/result.hpp"
#include "model/service.hpp"

namespace penstock::model {

struct ServiceEntry {
  Service service;
  std::vector<RealServer> servers;  // newest first

  friend bool operator==(const ServiceEntry&, const ServiceEntry&) = default;
};

// Where `endpoint` stands in the list, counted from the newest.
[[nodiscard]] std::optional<std::size_t> position_of(const ServiceEntry& entry, const Endpoint& endpoint);

class DesiredState {
 public:
  // EEXIST: there is such a service; ENOENT: no such scheduler or engine; see
  // also possible.hpp.
  Result<void> add_service(const Service& service);
  // Replaces everything but key and servers. ESRCH: no such service.
  Result<void> edit_service(const Service& service);
  Result<void> delete_service(const ServiceKey& key);
  void flush() { services_.clear(); }

  // ESRCH: no such service; EEXIST: the service has this server; ERANGE: weight
  // or thresholds; EINVAL: its address.
  Result<void> add_server(const ServiceKey& key, const RealServer& server);
  // ENOENT: the service has no such server.
  Result<void> edit_server(const ServiceKey& key, const RealServer& server);
  Result<void> delete_server(const ServiceKey& key, const Endpoint& endpoint);

  [[nodiscard]] const std::vector<ServiceEntry>& services() const { return services_; }
  [[nodiscard]] const ServiceEntry* find(const ServiceKey& key) const;

  friend bool operator==(const DesiredState&, const DesiredState&) = default;

 private:
  // ESRCH, as "<tried> <key>: no such service".
  Result<ServiceEntry*> need(const char* tried, const ServiceKey& key);

  std::vector<ServiceEntry> services_;
};

}  // namespace penstock::model
