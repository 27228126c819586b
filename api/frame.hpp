// How texts are told apart on the stream: each is preceded by its length, four bytes, most significant first.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace penstock::api {

inline constexpr std::size_t frame_header_bytes = 4;
// No request is longer: the largest, a service or a server with its key, has a few hundred bytes.
inline constexpr std::size_t request_bytes_max = 64 * 1024;
// The longest reply is one service with all its real servers, about 500 bytes each.
inline constexpr std::size_t reply_bytes_max = 64 * 1024 * 1024;

using FrameHeader = std::array<std::uint8_t, frame_header_bytes>;

[[nodiscard]] constexpr FrameHeader frame_header(std::uint32_t length) {
  return {static_cast<std::uint8_t>(length >> 24), static_cast<std::uint8_t>(length >> 16),
          static_cast<std::uint8_t>(length >> 8), static_cast<std::uint8_t>(length)};
}

[[nodiscard]] constexpr std::uint32_t frame_length(const FrameHeader& header) {
  return static_cast<std::uint32_t>(header[0]) << 24 | static_cast<std::uint32_t>(header[1]) << 16 |
         static_cast<std::uint32_t>(header[2]) << 8 | header[3];
}

}  // namespace penstock::api
