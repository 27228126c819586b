// Names of hosts and ports in both directions. An interface, since asking for a host's name may go to the network: fuzzers and tests
// bring their own.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "model/address.hpp"
#include "model/service.hpp"

namespace penstock::cli {

class Names {
 public:
  virtual ~Names() = default;

  // IPv4 only: ipvsadm takes IPv6 hosts as addresses alone.
  [[nodiscard]] virtual std::optional<model::Address> address_of_host(const std::string& host) const = 0;
  [[nodiscard]] virtual std::optional<std::string> host_of_address(const model::Address& address) const = 0;
  [[nodiscard]] virtual std::optional<std::uint16_t> port_of_service(const std::string& service,
                                                                     model::Protocol protocol) const = 0;
  [[nodiscard]] virtual std::optional<std::string> service_of_port(std::uint16_t port,
                                                                   model::Protocol protocol) const = 0;
};

// As the system resolves them (nsswitch.conf, /etc/services).
[[nodiscard]] const Names& system_names();

}  // namespace penstock::cli
