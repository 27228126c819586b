#include "tests/golden/wire.hpp"

#include <array>

namespace penstock::golden {

std::uint16_t read16(View bytes, std::size_t at) { return static_cast<std::uint16_t>(bytes[at] << 8 | bytes[at + 1]); }

std::uint32_t read32(View bytes, std::size_t at) {
  return static_cast<std::uint32_t>(read16(bytes, at)) << 16 | read16(bytes, at + 2);
}

void write16(Bytes& bytes, std::size_t at, std::uint16_t value) {
  bytes[at] = static_cast<std::uint8_t>(value >> 8);
  bytes[at + 1] = static_cast<std::uint8_t>(value);
}

void write32(Bytes& bytes, std::size_t at, std::uint32_t value) {
  write16(bytes, at, static_cast<std::uint16_t>(value >> 16));
  write16(bytes, at + 2, static_cast<std::uint16_t>(value));
}

void append(Bytes& bytes, View more) { bytes.insert(bytes.end(), more.begin(), more.end()); }

std::uint16_t internet_checksum(View bytes) {
  std::uint64_t sum = 0;
  for (std::size_t at = 0; at + 1 < bytes.size(); at += 2) sum += read16(bytes, at);
  if (bytes.size() % 2 == 1) sum += static_cast<std::uint64_t>(bytes.back()) << 8;
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >> 16);
  return static_cast<std::uint16_t>(~sum);
}

std::uint16_t transport_checksum(View source, View destination, std::uint8_t protocol, View transport) {
  Bytes covered(source.begin(), source.end());
  append(covered, destination);
  covered.resize(covered.size() + 8);
  write32(covered, covered.size() - 8, static_cast<std::uint32_t>(transport.size()));
  write32(covered, covered.size() - 4, protocol);
  append(covered, transport);
  return internet_checksum(covered);
}

namespace {

constexpr std::array<std::uint32_t, 256> castagnoli_table() {
  std::array<std::uint32_t, 256> table{};
  for (std::uint32_t i = 0; i < 256; ++i) {
    std::uint32_t value = i;
    for (int bit = 0; bit < 8; ++bit) value = (value & 1) != 0 ? (value >> 1) ^ 0x82f63b78U : value >> 1;
    table[i] = value;
  }
  return table;
}

}  // namespace

std::uint32_t crc32c(View bytes) {
  static constexpr auto table = castagnoli_table();
  std::uint32_t sum = 0xffffffffU;
  for (const std::uint8_t byte : bytes) sum = (sum >> 8) ^ table[(sum ^ byte) & 0xffU];
  return ~sum;
}

}  // namespace penstock::golden
