// Packets of protocols that need no kernel support at the ends, as questions and answers: SCTP chunks with their CRC, AH and ESP with
// content that stays as it was.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"

namespace penstock::serving {

using Bytes = std::vector<std::byte>;

struct RawProtocol {
  std::string_view name;
  int number;  // of IP
};

[[nodiscard]] std::optional<RawProtocol> raw_protocol(std::string_view name);  // sctp, ah, esp

// RFC 9260 §3, one chunk a packet. Ports are the packet's own.
struct SctpPacket {
  std::uint16_t source = 0;
  std::uint16_t destination = 0;
  std::uint32_t tag = 0;
  std::uint8_t chunk = 0;
  Bytes value{};  // of the chunk
};

inline constexpr std::uint8_t sctp_data = 0;
inline constexpr std::uint8_t sctp_init = 1;
inline constexpr std::uint8_t sctp_init_ack = 2;
inline constexpr std::uint8_t sctp_sack = 3;
inline constexpr std::uint8_t sctp_cookie_echo = 10;
inline constexpr std::uint8_t sctp_cookie_ack = 11;

[[nodiscard]] Bytes write_sctp(const SctpPacket& packet);
// Refuses a wrong checksum or length.
[[nodiscard]] Result<SctpPacket> read_sctp(std::span<const std::byte> bytes);
// What a peer answers to a chunk, with the chunk's own value.
[[nodiscard]] std::uint8_t sctp_answer_to(std::uint8_t chunk);

// RFC 4303 §2 and RFC 4302 §2 as far as routers look; `size` bytes of content follow.
[[nodiscard]] Bytes write_ipsec(const RawProtocol& protocol, std::uint32_t spi, std::size_t size);

}  // namespace penstock::serving
