// Bytes in network order, and the sums that protect them: for decoding recorded frames and for building the kernel's answers.
// Nothing here is shared with the data plane, whose frames it judges.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace penstock::golden {

using Bytes = std::vector<std::uint8_t>;
using View = std::span<const std::uint8_t>;

// The caller has checked that the bytes are there.
[[nodiscard]] std::uint16_t read16(View bytes, std::size_t at);
[[nodiscard]] std::uint32_t read32(View bytes, std::size_t at);
void write16(Bytes& bytes, std::size_t at, std::uint16_t value);
void write32(Bytes& bytes, std::size_t at, std::uint32_t value);

void append(Bytes& bytes, View more);

// RFC 1071. Over bytes that contain a right checksum it is 0.
[[nodiscard]] std::uint16_t internet_checksum(View bytes);
// The same over the pseudo header (RFC 9293 §3.1, RFC 8200 §8.1) and `transport`. Addresses are 4 or 16 bytes.
[[nodiscard]] std::uint16_t transport_checksum(View source, View destination, std::uint8_t protocol, View transport);
// SCTP's (RFC 9260 appendix A).
[[nodiscard]] std::uint32_t crc32c(View bytes);

}  // namespace penstock::golden
