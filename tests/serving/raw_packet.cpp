#include "tests/serving/raw_packet.hpp"

#include <fmt/format.h>
#include <netinet/in.h>

#include <algorithm>
#include <array>

#include "tests/serving/content.hpp"

namespace penstock::serving {
namespace {

constexpr std::size_t sctp_header_size = 12;
constexpr std::size_t chunk_header_size = 4;
constexpr std::size_t crc_offset = 8;
constexpr std::size_t ah_icv_size = 12;

constexpr std::array protocols{RawProtocol{"sctp", IPPROTO_SCTP}, RawProtocol{"ah", IPPROTO_AH},
                               RawProtocol{"esp", IPPROTO_ESP}};

void put(Bytes& bytes, std::uint64_t value, unsigned size) {
  for (unsigned i = size; i-- > 0;) bytes.push_back(static_cast<std::byte>(value >> i * 8 & 0xff));
}

std::uint32_t take(std::span<const std::byte> bytes, std::size_t offset, unsigned size) {
  std::uint32_t value = 0;
  for (unsigned i = 0; i < size; ++i) value = value << 8 | std::to_integer<std::uint32_t>(bytes[offset + i]);
  return value;
}

// CRC-32C (RFC 9260, appendix A), with the field itself taken for zero.
std::uint32_t crc_of(std::span<const std::byte> bytes) {
  std::uint32_t crc = 0xffffffff;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    const bool is_field = i >= crc_offset && i < crc_offset + 4;
    crc ^= is_field ? 0 : std::to_integer<std::uint32_t>(bytes[i]);
    for (int bit = 0; bit < 8; ++bit) crc = crc >> 1 ^ (crc & 1 ? 0x82f63b78 : 0);
  }
  return __builtin_bswap32(~crc);  // on the wire its lowest byte comes first
}

}  // namespace

std::optional<RawProtocol> raw_protocol(std::string_view name) {
  const auto* found = std::ranges::find(protocols, name, &RawProtocol::name);
  return found == protocols.end() ? std::nullopt : std::optional(*found);
}

Bytes write_sctp(const SctpPacket& packet) {
  Bytes bytes;
  put(bytes, packet.source, 2);
  put(bytes, packet.destination, 2);
  put(bytes, packet.tag, 4);
  put(bytes, 0, 4);
  put(bytes, packet.chunk, 1);
  put(bytes, 0, 1);
  put(bytes, chunk_header_size + packet.value.size(), 2);
  bytes.insert(bytes.end(), packet.value.begin(), packet.value.end());
  bytes.resize((bytes.size() + 3) / 4 * 4);
  const std::uint32_t crc = crc_of(bytes);
  for (unsigned i = 0; i < 4; ++i) bytes[crc_offset + i] = static_cast<std::byte>(crc >> (3 - i) * 8 & 0xff);
  return bytes;
}

Result<SctpPacket> read_sctp(std::span<const std::byte> bytes) {
  if (bytes.size() < sctp_header_size + chunk_header_size) return fail(ErrorCode::protocol, "SCTP packet cut short");
  const std::uint32_t crc = take(bytes, crc_offset, 4);
  if (crc != crc_of(bytes)) {
    return fail(ErrorCode::protocol, fmt::format("SCTP checksum {:08x} instead of {:08x}", crc, crc_of(bytes)));
  }
  const std::size_t length = take(bytes, sctp_header_size + 2, 2);
  if (length < chunk_header_size || sctp_header_size + length > bytes.size()) {
    return fail(ErrorCode::protocol, "SCTP chunk longer than its packet");
  }
  const auto value = bytes.subspan(sctp_header_size + chunk_header_size, length - chunk_header_size);
  return SctpPacket{.source = static_cast<std::uint16_t>(take(bytes, 0, 2)),
                    .destination = static_cast<std::uint16_t>(take(bytes, 2, 2)),
                    .tag = take(bytes, 4, 4),
                    .chunk = static_cast<std::uint8_t>(take(bytes, sctp_header_size, 1)),
                    .value = {value.begin(), value.end()}};
}

std::uint8_t sctp_answer_to(std::uint8_t chunk) {
  switch (chunk) {
    case sctp_init:
      return sctp_init_ack;
    case sctp_cookie_echo:
      return sctp_cookie_ack;
    case sctp_data:
      return sctp_sack;
    default:
      return chunk;
  }
}

Bytes write_ipsec(const RawProtocol& protocol, std::uint32_t spi, std::size_t size) {
  Bytes bytes;
  if (protocol.number == IPPROTO_AH) {
    put(bytes, IPPROTO_UDP, 1);
    put(bytes, (12 + ah_icv_size) / 4 - 2, 1);
    put(bytes, 0, 2);
  }
  put(bytes, spi, 4);
  put(bytes, 1, 4);  // sequence number
  if (protocol.number == IPPROTO_AH) bytes.resize(bytes.size() + ah_icv_size);
  const std::size_t begin = bytes.size();
  bytes.resize(begin + size);
  fill(std::span(bytes).subspan(begin), spi, 0);
  return bytes;
}

}  // namespace penstock::serving
