// What a lab looks like, as values: networks, and hosts with their addresses, roles and services. No I/O.
//
// Every network is one bridge on a host of its own, the switch, which no topology names. A host's first link is its eth0.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "model/address.hpp"

namespace penstock::lab {

// HOST-eth0 names a port of the switch, and the kernel cuts interface names at 15 characters.
inline constexpr std::size_t host_name_size_max = 10;
inline constexpr std::size_t hosts_max = 64;
inline constexpr std::size_t networks_max = 8;
inline constexpr std::uint64_t bulk_bytes_max = 1ULL << 30;  // it lives in memory, once for each host
inline constexpr std::string_view switch_name = "switch";

struct Prefix {
  model::Address address;
  unsigned length = 0;  // bits
};

[[nodiscard]] bool contains(const Prefix& prefix, const model::Address& address);
[[nodiscard]] unsigned host_length(model::Family family);  // 32 or 128

struct Network {
  std::string name;
  std::vector<Prefix> prefixes;
};

struct Link {
  std::string network;
  std::vector<model::Address> addresses;
};

enum class Role { client, director, realserver, server, router };

[[nodiscard]] std::string_view to_string(Role role);

struct Setting {
  std::string key;  // as under /proc/sys: net/ipv4/ip_forward
  std::string value;

  friend bool operator==(const Setting&, const Setting&) = default;
};

// A port of this machine's loopback that leads into the lab, for the user's own browser.
struct Forward {
  std::uint16_t port = 0;  // 0: any that is free
  model::Endpoint to;      // connected to from the host whose forward it is
  std::string url;         // what a browser is to be told; empty: http://127.0.0.1:PORT/
};

struct Host {
  std::string name;
  Role role = Role::client;
  std::vector<Link> links;
  std::vector<model::Address> vips;
  std::vector<model::Address> gateways;
  std::optional<std::string> page;  // nginx serves this text at / on the ports below
  std::vector<std::uint16_t> ports{80};
  std::uint64_t bulk_bytes = 0;  // the size of /bulk, 0: there is none
  std::vector<Setting> settings;
  std::vector<std::string> setups;   // shell lines, run in order to their end
  std::vector<std::string> daemons;  // program and arguments, started in order
  std::vector<std::string> thens;    // shell lines, run in order once all hosts are ready
  std::vector<Forward> forwards;
  bool xdp_port =
      false;  // an XDP program at the switch's ports to this host: native XDP_TX and XDP_REDIRECT on veth need it
};

struct Topology {
  std::vector<Network> networks;
  std::vector<Host> hosts;
  bool ipv6 = true;
  std::vector<std::string> remarks;  // for whoever brought it up
};

[[nodiscard]] const Network* find_network(const Topology& topology, std::string_view name);
[[nodiscard]] const Host* find_host(const Topology& topology, std::string_view name);

// The prefix of the link's network that holds the address; the parser makes sure that there is one.
[[nodiscard]] const Prefix& prefix_of(const Topology& topology, const Link& link, const model::Address& address);

}  // namespace penstock::lab
