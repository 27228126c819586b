// Virtual services and real servers as an operator describes them. Values only; the rules between them are in desired_state.
#pragma once

#include <compare>
#include <cstdint>
#include <string>

#include "model/address.hpp"

namespace penstock::model {

enum class Protocol : std::uint8_t { tcp = 6, udp = 17, sctp = 132 };

// "tcp", "udp", "sctp"
[[nodiscard]] const char* to_string(Protocol protocol);

// A service is named by protocol and virtual endpoint, or by a firewall mark and a family (IPVS). With fwmark != 0 the
// protocol is tcp and the endpoint holds only the family.
struct ServiceKey {
  Protocol protocol = Protocol::tcp;
  Endpoint vip;
  std::uint32_t fwmark = 0;

  friend auto operator<=>(const ServiceKey&, const ServiceKey&) = default;
};

// "tcp 192.0.2.1:80", "fwmark 5", "fwmark 5 ipv6": for messages.
[[nodiscard]] std::string to_string(const ServiceKey& key);

// IPVS: IP_VS_SVC_F_*.
namespace service_flag {
inline constexpr std::uint32_t persistent = 0x1;
inline constexpr std::uint32_t one_packet = 0x4;
inline constexpr std::uint32_t sched_1 = 0x8;
inline constexpr std::uint32_t sched_2 = 0x10;
inline constexpr std::uint32_t sched_3 = 0x20;
}  // namespace service_flag

struct Service {
  ServiceKey key;
  std::string scheduler = "wlc";  // IPVS's name, at most 15 characters
  std::uint32_t flags = 0;
  std::uint32_t persistence_timeout_s = 0;
  // Persistence granularity. IPv4: prefix length 0-32 of the mask (IPVS takes any mask; ipvsadm only prefixes are seen);
  // kept as the raw 32-bit mask in host order. IPv6: prefix length 1-128.
  std::uint32_t netmask = 0xffffffff;
  std::string persistence_engine;  // "" or "sip"

  friend auto operator<=>(const Service&, const Service&) = default;
};

// IPVS's numbers (IP_VS_CONN_F_FWD_MASK), and our fullnat: the connection comes from one of the director's local addresses.
enum class Method : std::uint8_t { nat = 0, local = 1, tunnel = 2, direct = 3, fullnat = 5 };

enum class TunnelType : std::uint8_t { ipip = 0, gue = 1, gre = 2 };
enum class TunnelChecksum : std::uint8_t { none = 0, checksum = 1, remote_checksum = 2 };

struct Tunnel {
  TunnelType type = TunnelType::ipip;
  std::uint16_t port = 0;  // GUE only
  TunnelChecksum checksum = TunnelChecksum::none;

  friend auto operator<=>(const Tunnel&, const Tunnel&) = default;
};

struct RealServer {
  // direct and tunnel do not look at the port: it is whatever the packet has (ipvsadm writes the service's there).
  Endpoint endpoint;
  Method method = Method::direct;
  std::int32_t weight = 1;  // 0 quiesces
  std::uint32_t upper_threshold = 0;
  std::uint32_t lower_threshold = 0;
  Tunnel tunnel;

  friend auto operator<=>(const RealServer&, const RealServer&) = default;
};

}  // namespace penstock::model
