// Whether an IP packet is in order: lengths, header checksum, transport checksum, and the packet in it if it is a tunnel's. Computed
// here, byte by byte.
#pragma once

#include <string>

#include "tests/packets/frame.hpp"

namespace penstock::packets {

// Behind the Ethernet header and its VLAN tags; empty: no IP.
[[nodiscard]] inline View ip_packet_of(View frame) {
  std::size_t at = 12;
  while (at + 4 <= frame.size() &&
         ((frame[at] == 0x81 && frame[at + 1] == 0) || (frame[at] == 0x88 && frame[at + 1] == 0xa8)))
    at += 4;
  if (at + 2 > frame.size()) return {};
  const std::uint32_t type = frame[at] * 256U + frame[at + 1];
  if (type != 0x0800 && type != 0x86dd) return {};
  return frame.subspan(at + 2);
}

struct Layers {
  View source;  // addresses
  View destination;
  std::uint8_t protocol = 0;
  View transport;  // to the end of the IP packet
  bool is_fragment = false;
};

// Empty: `layers` is filled. Else what is wrong.
[[nodiscard]] inline std::string read_ipv4(View packet, Layers& layers) {
  const std::size_t header = static_cast<std::size_t>(packet[0] & 15) * 4;
  if (packet.size() < 20 || header < 20 || packet.size() < header) return "an IPv4 header is cut off";
  const std::size_t length = packet[2] * 256U + packet[3];
  if (length < header || length > packet.size()) return "an IPv4 length";
  if (naive_checksum(packet.subspan(0, header)) != 0) return "an IPv4 checksum";
  layers.source = packet.subspan(12, 4);
  layers.destination = packet.subspan(16, 4);
  layers.protocol = packet[9];
  layers.transport = packet.subspan(header, length - header);
  layers.is_fragment = (packet[6] * 256U + packet[7]) % 0x4000 != 0;
  return {};
}

[[nodiscard]] inline std::string read_ipv6(View packet, Layers& layers) {
  if (packet.size() < 40) return "an IPv6 header is cut off";
  const std::size_t length = packet[4] * 256U + packet[5];
  if (length + 40 > packet.size()) return "an IPv6 length";
  layers.source = packet.subspan(8, 16);
  layers.destination = packet.subspan(24, 16);
  layers.protocol = packet[6];
  layers.transport = packet.subspan(40, length);
  const auto is_extension = [](std::uint8_t type) { return type == 0 || type == 43 || type == 44 || type == 60; };
  while (is_extension(layers.protocol)) {
    const bool fragments = layers.protocol == 44;
    if (layers.transport.size() < 8) return "an IPv6 extension header is cut off";
    const std::size_t bytes = fragments ? 8 : (layers.transport[1] + 1U) * 8;
    if (bytes > layers.transport.size()) return "an IPv6 extension header is cut off";
    if (fragments && ((layers.transport[2] * 256U + layers.transport[3]) & 0xfff9) != 0) layers.is_fragment = true;
    layers.protocol = layers.transport[0];
    layers.transport = layers.transport.subspan(bytes);
    if (layers.is_fragment) break;
  }
  return {};
}

[[nodiscard]] inline std::string unsound(View packet);

[[nodiscard]] inline std::string unsound_gre(View gre) {
  if (gre.size() < 4) return "a GRE header is cut off";
  const bool sums = (gre[0] & 0x80) != 0;
  if (sums && naive_checksum(gre) != 0) return "a GRE checksum";
  const std::string inner = unsound(gre.subspan(sums ? 8 : 4));
  return inner.empty() ? "" : "in GRE: " + inner;
}

[[nodiscard]] inline std::string unsound_udp(const Layers& layers) {
  const View udp = layers.transport;
  if (udp.size() < 8) return "a UDP header is cut off";
  const bool none = udp[6] == 0 && udp[7] == 0;
  if (!none && udp[4] * 256U + udp[5] == udp.size() &&
      naive_transport_checksum(layers.source, layers.destination, 17, udp) != 0)
    return "a UDP checksum";
  return {};
}

[[nodiscard]] inline std::string unsound_transport(const Layers& layers) {
  const View transport = layers.transport;
  switch (layers.protocol) {
    case 1:
      return naive_checksum(transport) == 0 ? "" : "an ICMP checksum";
    case 58:
      return naive_transport_checksum(layers.source, layers.destination, 58, transport) == 0 ? ""
                                                                                             : "an ICMPv6 checksum";
    case 6:
      if (transport.size() < 20) return "a TCP header is cut off";
      return naive_transport_checksum(layers.source, layers.destination, 6, transport) == 0 ? "" : "a TCP checksum";
    case 17:
      return unsound_udp(layers);
    case 132: {
      if (transport.size() < 12) return "an SCTP header is cut off";
      Bytes expected;
      expected.resize(12);
      put_little32(expected, 8, naive_crc32c(transport));
      return std::equal(expected.begin() + 8, expected.end(), transport.begin() + 8) ? "" : "an SCTP checksum";
    }
    case 4:
    case 41: {
      const std::string inner = unsound(transport);
      return inner.empty() ? "" : "inside: " + inner;
    }
    case 47:
      return unsound_gre(transport);
    default:
      return {};
  }
}

// What is wrong with an IP packet; empty: nothing. A fragment's transport is not looked at.
[[nodiscard]] inline std::string unsound(View packet) {
  if (packet.empty()) return "no IP packet";
  Layers layers;
  const std::uint8_t version = packet[0] >> 4;
  if (version != 4 && version != 6) return "no IP packet";
  if (version == 4 && packet.size() < 20) return "an IPv4 header is cut off";
  const std::string wrong = version == 4 ? read_ipv4(packet, layers) : read_ipv6(packet, layers);
  if (!wrong.empty() || layers.is_fragment) return wrong;
  return unsound_transport(layers);
}

}  // namespace penstock::packets
