// A message of the sync daemon (UDP 8848) as fields; the kernel's net/netfilter/ipvs/ip_vs_sync.c says what stands where.
#pragma once

#include "tests/golden/frame.hpp"

namespace penstock::golden {

inline constexpr std::uint16_t sync_port = 8848;

[[nodiscard]] Fields decode_sync(View message);

// Decoding pieces that frames and sync messages share.
[[nodiscard]] std::string address_text(View address);
[[nodiscard]] Fields protocol_field(std::uint8_t number);

}  // namespace penstock::golden
