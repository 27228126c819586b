// The network that every recording assumes (topology.json): a director between
// clients on eth0 and real servers on eth1.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.hpp"
#include "model/address.hpp"

namespace penstock::golden {

enum class Interface : std::uint8_t { eth0 = 0, eth1 = 1 };

inline constexpr std::array interfaces = {Interface::eth0, Interface::eth1};

[[nodiscard]] const char* to_string(Interface interface);
[[nodiscard]] std::optional<Interface> parse_interface(std::string_view name);

using Mac = std::array<std::uint8_t, 6>;

struct Prefix {
  model::Address address;
  unsigned length = 0;  // bits

  friend auto operator<=>(const Prefix&, const Prefix&) = default;
};

[[nodiscard]] bool contains(const Prefix& prefix, const model::Address& address);

struct Route {
  Prefix destination;
  Interface interface = Interface::eth0;
  std::optional<model::Address> gateway;  // none: on the link
};

struct Hop {
  Interface interface = Interface::eth0;
  Mac source{};
  Mac destination{};
};

struct Topology {
  std::array<Mac, 2> mac{};                              // the director's, by interface
  std::array<std::vector<model::Address>, 2> addresses;  // the director's own, by interface
  std::vector<Prefix> local;  // what the kernel takes as its own: addresses, VIPs, local routes
  std::vector<Route> routes;
  std::map<std::pair<Interface, model::Address>, Mac> neighbours;  // static

  [[nodiscard]] bool is_local(const model::Address& address) const;
  // Where a packet to `address` leaves by, and to whom; nothing where no route
  // or neighbour is known.
  [[nodiscard]] std::optional<Hop> hop(const model::Address& address) const;
  // Whose frame this is, by its source MAC.
  [[nodiscard]] std::optional<Interface> interface_of(const Mac& source) const;
};

[[nodiscard]] Result<Topology> load_topology(const std::string& path);

}  // namespace penstock::golden
