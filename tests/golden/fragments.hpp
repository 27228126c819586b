// Datagrams in pieces: put together as a receiver does, and cut as a router does.
#pragma once

#include <compare>
#include <optional>
#include <vector>

#include "tests/golden/packet.hpp"

namespace penstock::golden {

// What all fragments of a datagram have in common (RFC 791 §3.2, RFC 8200 §4.5).
struct DatagramKey {
  model::Address source;
  model::Address destination;
  std::uint8_t protocol = 0;  // IPv4 only
  std::uint32_t identification = 0;

  friend auto operator<=>(const DatagramKey&, const DatagramKey&) = default;
};

[[nodiscard]] DatagramKey datagram_of(const Packet& fragment);

// The datagram of which all of `fragments` are pieces, with the headers of its first piece; nothing while a piece is missing.
// They may come in any order, and twice.
[[nodiscard]] std::optional<Bytes> reassemble(const std::vector<Packet>& fragments);

// IPv4: pieces of at most `mtu` bytes, in order; each but the last carries a multiple of eight bytes.
[[nodiscard]] std::vector<Bytes> cut(const Packet& packet, std::size_t mtu);

}  // namespace penstock::golden
