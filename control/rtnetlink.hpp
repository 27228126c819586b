// What rtnetlink says, as values, and the few questions that Penstock asks it.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "datapath/abi/types.hpp"
#include "model/address.hpp"
#include "netlink/socket.hpp"

namespace penstock::control {

using Mac = std::array<u8, 6>;

// What a VLAN device puts on the frames that leave by the device below it.
struct VlanDevice {
  u32 parent = 0;         // its index; 0: in another network namespace
  u16 number = 0;         // VLAN ID
  bool is_8021q = false;  // else of another kind of tag (802.1ad)

  friend bool operator==(const VlanDevice&, const VlanDevice&) = default;
};

struct Link {
  u32 index = 0;
  std::string name;
  std::string kind;  // IFLA_INFO_KIND: "veth", "bridge", …; empty for hardware
  bool is_up = false;
  bool is_ethernet = false;  // and has an Ethernet address
  bool is_loopback = false;
  bool is_enslaved = false;  // a port of a bridge or bond
  u32 mtu = 0;
  Mac mac{};
  std::optional<VlanDevice> vlan;
  // Its first address of global scope: not in the message itself (Network keeps it, reach.hpp).
  std::optional<model::Address> ipv4;
  std::optional<model::Address> ipv6;

  friend bool operator==(const Link&, const Link&) = default;
};

struct LinkEvent {
  bool removed = false;
  Link link;
};

// An address of this machine.
struct OwnAddress {
  u32 interface = 0;
  model::Address address;
  bool is_global = false;  // of global scope, and in use: neither tentative nor a duplicate

  friend bool operator==(const OwnAddress&, const OwnAddress&) = default;
};

struct AddressEvent {
  bool removed = false;
  OwnAddress own;
};

struct Neighbour {
  u32 interface = 0;
  model::Address address;
  u16 state = 0;           // NUD_*
  std::optional<Mac> mac;  // of Ethernet's length

  friend bool operator==(const Neighbour&, const Neighbour&) = default;
};

struct NeighbourEvent {
  bool removed = false;
  Neighbour neighbour;
};

// The kernel's answer to "how do I reach this address".
struct Route {
  enum class Kind { unicast, local, refused };

  Kind kind = Kind::refused;  // refused: no route, blackhole, unreachable, prohibit, multicast
  u32 interface = 0;
  std::optional<model::Address> gateway;  // none: on the link
  std::optional<model::Address> source;   // what the machine itself would send from
  u32 mtu = 0;                            // of the route; 0: the link's

  friend bool operator==(const Route&, const Route&) = default;
};

// Nothing: the message is of another kind.
[[nodiscard]] std::optional<LinkEvent> parse_link(const nlmsghdr* message);
[[nodiscard]] std::optional<AddressEvent> parse_own_address(const nlmsghdr* message);
[[nodiscard]] std::optional<NeighbourEvent> parse_neighbour(const nlmsghdr* message);
[[nodiscard]] std::optional<Route> parse_route(const nlmsghdr* message);
// A change of routes, routing rules, next-hop objects or own addresses: any route may be another now.
[[nodiscard]] bool changes_routes(const nlmsghdr* message);

[[nodiscard]] Result<std::vector<Link>> list_links(netlink::Socket& socket);
[[nodiscard]] Result<std::vector<OwnAddress>> list_addresses(netlink::Socket& socket);
[[nodiscard]] Result<std::vector<Neighbour>> list_neighbours(netlink::Socket& socket);
[[nodiscard]] Result<Route> find_route(netlink::Socket& socket, const model::Address& address);

// Asks the kernel to keep the neighbour resolved by itself (NTF_EXT_MANAGED, Linux 5.16), or no longer to. A permanent entry
// must not be managed: the kernel would take its permanence away.
[[nodiscard]] Result<void> manage_neighbour(netlink::Socket& socket, u32 interface, const model::Address& address,
                                            bool managed);

}  // namespace penstock::control
