// What daemon and clients say to each other, as values. The codec puts them on the wire; nobody else does.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "model/mark_rule.hpp"
#include "model/service.hpp"

namespace penstock::api {

// Since creation or the last zeroing. Bytes are IP packet lengths.
struct Statistics {
  std::uint64_t connections = 0;
  std::uint64_t in_packets = 0;
  std::uint64_t out_packets = 0;
  std::uint64_t in_bytes = 0;
  std::uint64_t out_bytes = 0;

  friend auto operator<=>(const Statistics&, const Statistics&) = default;
};

// Per second, by IPVS's estimator (every 2 s, average += (rate - average) / 4).
struct Rates {
  std::uint64_t connections = 0;
  std::uint64_t in_packets = 0;
  std::uint64_t out_packets = 0;
  std::uint64_t in_bytes = 0;
  std::uint64_t out_bytes = 0;

  friend auto operator<=>(const Rates&, const Rates&) = default;
};

struct ServerView {
  model::RealServer server;
  std::uint32_t active = 0;
  std::uint32_t inactive = 0;
  std::uint32_t persistent = 0;
  Statistics statistics;
  Rates rates;
};

struct ServiceView {
  model::Service service;
  Statistics statistics;
  Rates rates;
  std::vector<ServerView> servers;  // newest first, as IPVS lists and walks them
};

// By IP protocol number. ip: a firewall-mark service's persistence, whatever its connections' protocol (IPVS).
enum class ConnectionProtocol : std::uint8_t { ip = 0, tcp = 6, udp = 17, esp = 50, ah = 51, sctp = 132 };

// A connection, or a persistence template: the latter has client port 0, the masked client and state NONE or ASSURED, and
// of a firewall mark the virtual address is the mark's 32 bits with port 0.
struct ConnectionView {
  ConnectionProtocol protocol = ConnectionProtocol::tcp;
  bool is_template = false;
  model::Endpoint client;
  model::Endpoint vip;
  model::Endpoint server;
  std::string state;            // IPVS's word: "ESTABLISHED", "SYN_RECV", "UDP", "C-SENT", "ASSURED", …
  std::uint32_t expires_s = 0;  // rounded down
};

// ipvsadm --set; 0 leaves a value unchanged.
struct Timeouts {
  std::uint32_t tcp_s = 0;
  std::uint32_t tcp_fin_s = 0;
  std::uint32_t udp_s = 0;

  friend auto operator<=>(const Timeouts&, const Timeouts&) = default;
};

struct InterfaceView {
  std::string name;
  std::string mode;  // "native", "generic", "tc": as the packet path is attached there

  friend auto operator<=>(const InterfaceView&, const InterfaceView&) = default;
};

struct Info {
  std::uint32_t connection_buckets = 0;  // what IPVS calls the size of its connection table
  std::uint32_t connections_max = 0;
  std::vector<InterfaceView> interfaces{};  // that the packet path is attached to
};

// model/setting.hpp: a name without net.ipv4.vs. and a value as in /proc.
struct Setting {
  std::string name;
  std::string value;

  friend auto operator<=>(const Setting&, const Setting&) = default;
};

// Packets by a reason.
struct Counter {
  std::string name;
  std::uint64_t packets = 0;
  bool is_remark = false;  // on packets that were forwarded; otherwise these went to no real server
};

}  // namespace penstock::api
