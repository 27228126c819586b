// A frame as named fields, nested as its headers are: what a recording is compared by and what a person reads.
//
//   {"eth_dst", "eth_src", "ip": {"v", "src", "dst", "proto", "ttl", …, "tcp" | "udp" | "sctp" | "icmp" | "icmp6" | "gre" | "inner"}}
//
// The names are those of the recordings' own "dec". "csum_ok" is null where a checksum cannot be judged (fragments, quotes).
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "tests/golden/wire.hpp"

namespace penstock::golden {

using Fields = nlohmann::ordered_json;  // in the order of the wire

inline constexpr std::size_t ethernet_header = 14;
inline constexpr std::uint16_t ethertype_ipv4 = 0x0800;
inline constexpr std::uint16_t ethertype_ipv6 = 0x86dd;

// Whole: an IP packet as it is sent. Quoted: inside an ICMP error, where it may end early.
enum class Extent { whole, quoted };

[[nodiscard]] Fields decode_frame(View frame);
[[nodiscard]] Fields decode_ip(View packet, Extent extent);

[[nodiscard]] std::string to_hex(View bytes);

// One line for a person: "198.51.100.1 > 10.1.0.100 tcp ttl 64 … 1000>80 [S]".
[[nodiscard]] std::string describe(const Fields& frame);

}  // namespace penstock::golden
