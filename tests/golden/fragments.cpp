#include "tests/golden/fragments.hpp"

#include <algorithm>

namespace penstock::golden {

namespace {

constexpr std::uint16_t more_fragments_bit = 0x2000;
constexpr std::uint16_t offset_bits = 0x1fff;

void set_fragmenting(Bytes& headers, std::size_t offset, bool more) {
  const auto kept = static_cast<std::uint16_t>(read16(headers, 6) & ~(more_fragments_bit | offset_bits));
  const auto place = static_cast<std::uint16_t>((more ? more_fragments_bit : 0) | offset / 8);
  write16(headers, 6, static_cast<std::uint16_t>(kept | place));
}

Bytes ipv4_packet(Bytes headers, View payload) {
  write16(headers, 2, static_cast<std::uint16_t>(headers.size() + payload.size()));
  fill_header_checksum(headers, headers.size());
  append(headers, payload);
  return headers;
}

// The datagram without any trace of its having been in pieces.
Bytes whole(const Packet& first, View payload) {
  Bytes headers = first.bytes;
  if (first.is_ipv4()) {
    headers.resize(first.transport_at);
    set_fragmenting(headers, 0, false);
    return ipv4_packet(std::move(headers), payload);
  }
  headers[first.fragment_header_named_at] = headers[first.fragment_header_at];
  headers.resize(first.fragment_header_at);
  write16(headers, 4, static_cast<std::uint16_t>(headers.size() - 40 + payload.size()));
  append(headers, payload);
  return headers;
}

}  // namespace

DatagramKey datagram_of(const Packet& fragment) {
  return {.source = fragment.source,
          .destination = fragment.destination,
          .protocol = fragment.is_ipv4() ? fragment.protocol : std::uint8_t{0},
          .identification = fragment.datagram};
}

std::optional<Bytes> reassemble(const std::vector<Packet>& fragments) {
  std::vector<const Packet*> in_order;
  for (const Packet& fragment : fragments) in_order.push_back(&fragment);
  std::sort(in_order.begin(), in_order.end(), [](const auto* a, const auto* b) { return a->offset < b->offset; });
  Bytes payload;
  const Packet* last = nullptr;
  for (const Packet* fragment : in_order) {
    if (last != nullptr && fragment->offset == last->offset) continue;  // the same again
    if (fragment->offset != payload.size()) return std::nullopt;
    append(payload, fragment->transport());
    last = fragment;
  }
  if (last == nullptr || last->more_fragments) return std::nullopt;
  return whole(*in_order.front(), payload);
}

std::vector<Bytes> cut(const Packet& packet, std::size_t mtu) {
  const std::size_t room = (mtu - packet.transport_at) / 8 * 8;
  const Bytes headers(packet.bytes.begin(), packet.bytes.begin() + static_cast<std::ptrdiff_t>(packet.transport_at));
  const View payload = packet.transport();
  std::vector<Bytes> pieces;
  for (std::size_t at = 0; at < payload.size(); at += room) {
    const View piece = payload.subspan(at, std::min(room, payload.size() - at));
    Bytes own = headers;
    set_fragmenting(own, packet.offset + at, packet.more_fragments || at + piece.size() < payload.size());
    pieces.push_back(ipv4_packet(std::move(own), piece));
  }
  return pieces;
}

}  // namespace penstock::golden
