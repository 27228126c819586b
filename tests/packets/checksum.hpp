// The Internet checksum as RFC 1071 tells it in words: 16-bit big-endian numbers added one after the other, the carry put back at
// once. Slow and plain on purpose: it judges the data plane's, and shares nothing with it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace penstock::packets {

using Bytes = std::vector<std::uint8_t>;
using View = std::span<const std::uint8_t>;

inline void append16(Bytes& to, std::uint32_t value) {
  to.push_back(static_cast<std::uint8_t>(value >> 8));
  to.push_back(static_cast<std::uint8_t>(value));
}

inline void append32(Bytes& to, std::uint32_t value) {
  append16(to, value >> 16);
  append16(to, value & 0xffff);
}

inline void append(Bytes& to, View more) { to.insert(to.end(), more.begin(), more.end()); }

inline void put16(Bytes& to, std::size_t at, std::uint32_t value) {
  to.at(at) = static_cast<std::uint8_t>(value >> 8);
  to.at(at + 1) = static_cast<std::uint8_t>(value);
}

// Over bytes that hold a right checksum it is 0.
[[nodiscard]] inline std::uint16_t naive_checksum(View bytes) {
  std::uint32_t sum = 0;
  for (std::size_t i = 0; i < bytes.size(); i += 2) {
    const std::uint32_t low = i + 1 < bytes.size() ? bytes[i + 1] : 0U;
    sum += static_cast<std::uint32_t>(bytes[i]) * 256 + low;
    if (sum > 0xffff) sum = (sum & 0xffff) + 1;
  }
  return static_cast<std::uint16_t>(0xffff - sum);
}

// Of a frame whose IPv4 header is all there, and of any other frame nothing.
inline void repair_ipv4_checksum(Bytes& frame) {
  if (frame.size() < 34 || frame[12] != 0x08 || frame[13] != 0x00) return;
  const std::size_t header = static_cast<std::size_t>(frame[14] & 15) * 4;
  if (header < 20 || frame.size() < 14 + header) return;
  put16(frame, 24, 0);
  put16(frame, 24, naive_checksum(View(frame).subspan(14, header)));
}

// With the pseudo header in front (RFC 9293 §3.1, RFC 8200 §8.1). Addresses are 4 or 16 bytes.
[[nodiscard]] inline std::uint16_t naive_transport_checksum(View source, View destination, std::uint8_t protocol,
                                                            View transport) {
  Bytes all(source.begin(), source.end());
  append(all, destination);
  append32(all, static_cast<std::uint32_t>(transport.size()));
  append32(all, protocol);
  append(all, transport);
  return naive_checksum(all);
}

// CRC32c bit by bit (RFC 9260 Appendix A), with the four bytes at 8, where an SCTP packet holds it, taken for zeros.
[[nodiscard]] inline std::uint32_t naive_crc32c(View packet) {
  std::uint32_t crc = ~0U;
  for (std::size_t i = 0; i < packet.size(); ++i) {
    crc ^= i >= 8 && i < 12 ? 0U : packet[i];
    for (int bit = 0; bit < 8; ++bit) crc = (crc & 1) != 0 ? crc >> 1 ^ 0x82f63b78U : crc >> 1;
  }
  return ~crc;
}

inline void put_little32(Bytes& to, std::size_t at, std::uint32_t value) {
  for (std::size_t i = 0; i < 4; ++i) to.at(at + i) = static_cast<std::uint8_t>(value >> (8 * i));
}

}  // namespace penstock::packets
