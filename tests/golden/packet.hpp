// An IP packet as the kernel's stack looks at it, and the packets it makes.
#pragma once

#include <cstdint>
#include <optional>

#include "model/address.hpp"
#include "tests/golden/wire.hpp"

namespace penstock::golden {

namespace protocol {
inline constexpr std::uint8_t icmp = 1;
inline constexpr std::uint8_t tcp = 6;
inline constexpr std::uint8_t udp = 17;
inline constexpr std::uint8_t icmp6 = 58;
}  // namespace protocol

struct Packet {
  Bytes bytes;  // the packet without Ethernet and without padding
  model::Address source;
  model::Address destination;
  std::uint8_t protocol = 0;
  std::size_t protocol_at = 0;  // where the packet names it
  std::uint8_t ttl = 0;
  std::uint8_t tos = 0;
  bool dont_fragment = false;  // IPv6: always
  bool fragment = false;
  std::size_t transport_at = 0;

  // Of a fragment. What it carries begins at transport_at.
  std::uint32_t datagram = 0;  // its identification
  std::size_t offset = 0;      // bytes
  bool more_fragments = false;
  std::size_t fragment_header_at = 0;        // IPv6
  std::size_t fragment_header_named_at = 0;  // IPv6: the byte before it that says so

  [[nodiscard]] bool is_ipv4() const { return source.family == model::Family::ipv4; }
  [[nodiscard]] View transport() const { return View(bytes).subspan(transport_at); }
};

// Nothing where the kernel's receive path drops it: version, lengths, IPv4 header checksum.
[[nodiscard]] std::optional<Packet> parse_packet(View packet);

[[nodiscard]] View address_bytes(const model::Address& address);

// Writes the right checksum into an IPv4 header of `length` bytes.
void fill_header_checksum(Bytes& packet, std::size_t length);

// The same packet with one hop less to live.
[[nodiscard]] Bytes one_hop_further(const Packet& packet);

struct Reply {
  model::Address source;
  model::Address destination;
  std::uint8_t protocol = 0;
  std::uint8_t tos = 0;
  std::uint16_t id = 0;  // IPv4
  bool dont_fragment = false;
  Bytes transport;  // its checksum is filled in
};

// A packet of the director's own, TTL 64.
[[nodiscard]] Bytes build_packet(const Reply& reply);

}  // namespace penstock::golden
