// What was seen of this host and of what answers it: values only. The files in look/ fill them in, the rules read them.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "api/types.hpp"
#include "model/address.hpp"
#include "model/mark_rule.hpp"
#include "model/prefix.hpp"
#include "model/service.hpp"

namespace penstock::doctor {

using Mac = std::array<std::uint8_t, 6>;

enum class XdpMode { none, native, generic, offloaded };

// Looked at twice, some time apart.
struct Watched {
  std::uint64_t before = 0;
  std::uint64_t after = 0;

  [[nodiscard]] std::uint64_t growth() const { return after > before ? after - before : 0; }
};

struct Interface {
  std::uint32_t index = 0;
  std::string name;
  std::string kind;  // "veth", "bridge", "ipip", …; empty for hardware and lo
  bool is_up = false;
  bool has_carrier = false;
  bool is_loopback = false;
  bool is_ethernet = false;
  bool asks_neighbours = false;  // by ARP or neighbour solicitation; a dummy does not
  std::uint32_t parent = 0;      // of a VLAN: the interface below it
  std::uint32_t mtu = 0;
  Mac mac{};
  XdpMode xdp = XdpMode::none;
  std::vector<std::string> filters{};  // names of the BPF programs that TC runs on what arrives
  bool has_lro = false;
  bool owes_checksums = false;  // a TCP segment came whose checksum nobody has computed
  Watched xdp_sent{};           // frames that native XDP sent back by this interface
  Watched xdp_lost{};           // … and that its driver did not take
  // Sysctls as they are in force: those of `all` and of the interface together (Documentation/networking/ip-sysctl).
  int arp_ignore = 0;
  int arp_announce = 0;
  int rp_filter = 0;  // 0 off, 1 strict, 2 loose
};

struct OwnAddress {
  std::uint32_t interface = 0;
  model::Address address;
  std::uint8_t prefix_length = 0;
  bool is_duplicate = false;  // IPv6: another host has it, and this one does not use it (RFC 4862 §5.4.5)
};

struct Neighbour {
  std::uint32_t interface = 0;
  model::Address address;
  std::optional<Mac> mac;     // nothing: asked for and not known
  bool is_permanent = false;  // set by hand, so that nobody need answer
};

// The kernel's answer to "how do I reach this address".
struct Way {
  enum class Kind { unicast, local, none };

  model::Address to;
  Kind kind = Kind::none;
  std::uint32_t interface = 0;
  std::optional<model::Address> gateway{};  // none: on the link
  std::uint32_t mtu = 0;                    // of the route; 0: the interface's
  std::uint32_t advertised_mss = 0;         // of the route; 0: what follows from the MTU
};

// Who answers ARP or neighbour solicitations for an address on a link. The asking host does not hear itself.
struct Holders {
  std::uint32_t interface = 0;
  model::Address address;
  std::vector<Mac> macs{};
};

enum class Greeting { accepted, refused, silent };

// A TCP connection to a real server, made and closed.
struct Attempt {
  model::Endpoint to;
  bool must_answer = true;  // false: it may have no route to the address that was asked from
  Greeting greeting = Greeting::silent;
};

// A rule of nftables (or of iptables over it) that names one destination.
struct FirewallRule {
  std::string chain;  // "inet filter input"
  model::Prefix destination;
  bool drops = false;
};

struct WatchedReason {
  std::string name;  // datapath/abi/reason.hpp
  Watched packets;
};

// What penstockd says.
struct Director {
  bool is_running = true;  // false: nobody answers on its socket, and nothing else here is known
  std::string pins;        // folder of what outlives the daemon; empty: it is not known
  bool has_pins = true;
  std::vector<api::ServiceView> services{};
  std::vector<model::Address> local_addresses{};
  std::vector<model::MarkRule> mark_rules{};
  std::vector<api::InterfaceView> attached{};
  std::uint32_t connections_max = 0;
  bool sends_nat_errors = false;  // nat_icmp_send: what nat servers send outside of connections is refused
  std::vector<WatchedReason> reasons{};
};

struct RealServer {
  model::Method method = model::Method::direct;
  std::vector<model::Address> vips{};
  std::vector<model::Address> director{};  // its addresses in the real servers' network, as the user named them
};

struct Facts {
  std::vector<Interface> interfaces{};
  std::vector<OwnAddress> addresses{};
  std::vector<Neighbour> neighbours{};
  std::vector<Way> ways{};
  std::vector<Holders> holders{};
  std::vector<Attempt> attempts{};
  std::vector<FirewallRule> firewall{};
  bool forwards_ipv4 = false;  // ip_forward
  bool forwards_ipv6 = false;
  Watched unforwarded_ipv4{};  // packets for other hosts that were dropped for want of it (InAddrErrors of RFC 4293)
  Watched unforwarded_ipv6{};
  bool clamps_mss = false;                // a firewall rule or BPF program lowers the MSS of what leaves
  std::vector<model::Address> clients{};  // addresses that clients come from, at most one of each family
  bool clients_are_named = false;         // by the user; else an address outside, which only a default route leads to
  // One of them.
  std::optional<Director> director{};
  std::optional<RealServer> real_server{};
};

}  // namespace penstock::doctor
