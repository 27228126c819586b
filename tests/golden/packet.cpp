#include "tests/golden/packet.hpp"

#include <algorithm>

namespace penstock::golden {

namespace {

constexpr std::uint8_t own_ttl = 64;

model::Address address_at(View bytes, std::size_t at, model::Family family) {
  model::Address address{.family = family, .bytes = {}};
  std::copy_n(bytes.begin() + static_cast<std::ptrdiff_t>(at), family == model::Family::ipv4 ? 4 : 16,
              address.bytes.begin());
  return address;
}

std::optional<Packet> parse_ipv4(View bytes) {
  const std::size_t header = static_cast<std::size_t>(bytes[0] & 15) * 4;
  const std::size_t length = read16(bytes, 2);
  if (header < 20 || length < header || bytes.size() < length) return std::nullopt;
  if (internet_checksum(bytes.first(header)) != 0) return std::nullopt;
  const std::uint16_t fragmenting = read16(bytes, 6);
  return Packet{.bytes = {bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(length)},
                .source = address_at(bytes, 12, model::Family::ipv4),
                .destination = address_at(bytes, 16, model::Family::ipv4),
                .protocol = bytes[9],
                .protocol_at = 9,
                .ttl = bytes[8],
                .tos = bytes[1],
                .dont_fragment = (fragmenting & 0x4000) != 0,
                .fragment = (fragmenting & 0x3fff) != 0,
                .transport_at = header,
                .datagram = read16(bytes, 4),
                .offset = static_cast<std::size_t>(fragmenting & 0x1fff) * 8,
                .more_fragments = (fragmenting & 0x2000) != 0};
}

bool is_extension(std::uint8_t next) { return next == 0 || next == 43 || next == 44 || next == 60; }

// RFC 8200 §4.5. A fragment that is the whole datagram is one too.
void note_fragment_header(View bytes, std::size_t at, Packet& packet) {
  packet.fragment = true;
  packet.fragment_header_at = at;
  packet.fragment_header_named_at = packet.protocol_at;
  packet.offset = read16(bytes, at + 2) & 0xfff8;
  packet.more_fragments = (read16(bytes, at + 2) & 1) != 0;
  packet.datagram = read32(bytes, at + 4);
}

std::optional<Packet> parse_ipv6(View bytes) {
  const std::size_t length = 40 + read16(bytes, 4);
  if (bytes.size() < length) return std::nullopt;
  Packet packet{.bytes = {bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(length)},
                .source = address_at(bytes, 8, model::Family::ipv6),
                .destination = address_at(bytes, 24, model::Family::ipv6),
                .protocol = bytes[6],
                .protocol_at = 6,
                .ttl = bytes[7],
                .tos = static_cast<std::uint8_t>(read16(bytes, 0) >> 4),
                .dont_fragment = true,
                .fragment = false,
                .transport_at = 40};
  while (is_extension(packet.protocol)) {
    const std::size_t at = packet.transport_at;
    if (at + 8 > length) return std::nullopt;
    const bool is_fragment = packet.protocol == 44;
    if (is_fragment) note_fragment_header(bytes, at, packet);
    packet.protocol = bytes[at];
    packet.protocol_at = at;
    packet.transport_at += is_fragment ? 8 : 8 + static_cast<std::size_t>(bytes[at + 1]) * 8;
    if (packet.transport_at > length) return std::nullopt;
    if (is_fragment) break;  // what follows may be the middle of a datagram
  }
  return packet;
}

void fill_transport_checksum(Reply& reply) {
  std::size_t at = 16;  // TCP
  if (reply.protocol == protocol::icmp || reply.protocol == protocol::icmp6) at = 2;
  write16(reply.transport, at, 0);
  const std::uint16_t sum = reply.protocol == protocol::icmp
                                ? internet_checksum(reply.transport)
                                : transport_checksum(address_bytes(reply.source), address_bytes(reply.destination),
                                                     reply.protocol, reply.transport);
  write16(reply.transport, at, sum);
}

Bytes ipv4_header(const Reply& reply) {
  Bytes header(12);
  header[0] = 0x45;
  header[1] = reply.tos;
  write16(header, 2, static_cast<std::uint16_t>(20 + reply.transport.size()));
  write16(header, 4, reply.id);
  write16(header, 6, reply.dont_fragment ? 0x4000 : 0);
  header[8] = own_ttl;
  header[9] = reply.protocol;
  append(header, address_bytes(reply.source));
  append(header, address_bytes(reply.destination));
  fill_header_checksum(header, header.size());
  return header;
}

Bytes ipv6_header(const Reply& reply) {
  Bytes header(8);
  write32(header, 0, 0x60000000U | static_cast<std::uint32_t>(reply.tos) << 20);
  write16(header, 4, static_cast<std::uint16_t>(reply.transport.size()));
  header[6] = reply.protocol;
  header[7] = own_ttl;
  append(header, address_bytes(reply.source));
  append(header, address_bytes(reply.destination));
  return header;
}

}  // namespace

View address_bytes(const model::Address& address) {
  return View(address.bytes).first(address.family == model::Family::ipv4 ? 4 : 16);
}

std::optional<Packet> parse_packet(View packet) {
  if (packet.size() < 20) return std::nullopt;
  if (packet[0] >> 4 == 4) return parse_ipv4(packet);
  if (packet[0] >> 4 == 6 && packet.size() >= 40) return parse_ipv6(packet);
  return std::nullopt;
}

void fill_header_checksum(Bytes& packet, std::size_t length) {
  write16(packet, 10, 0);
  write16(packet, 10, internet_checksum(View(packet).first(length)));
}

Bytes one_hop_further(const Packet& packet) {
  Bytes bytes = packet.bytes;
  if (!packet.is_ipv4()) {
    --bytes[7];
    return bytes;
  }
  --bytes[8];
  fill_header_checksum(bytes, packet.transport_at);
  return bytes;
}

Bytes build_packet(const Reply& wanted) {
  Reply reply = wanted;
  fill_transport_checksum(reply);
  Bytes bytes = reply.source.family == model::Family::ipv4 ? ipv4_header(reply) : ipv6_header(reply);
  append(bytes, reply.transport);
  return bytes;
}

}  // namespace penstock::golden
