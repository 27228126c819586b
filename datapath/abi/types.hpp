// Fixed-width integers and network-order integers of the data plane. No std header: the same lines compile for BPF.
// A be16/be32 is the bytes as they stand on the wire; only host() and big() cross the border.
#pragma once

namespace penstock {

using u8 = __UINT8_TYPE__;
using u16 = __UINT16_TYPE__;
using u32 = __UINT32_TYPE__;
using u64 = __UINT64_TYPE__;
using s32 = __INT32_TYPE__;
using s64 = __INT64_TYPE__;

enum class be16 : u16 {};
enum class be32 : u32 {};

#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "Penstock's records are laid out for little-endian machines"
#endif

constexpr u16 host(be16 value) { return __builtin_bswap16(static_cast<u16>(value)); }
constexpr u32 host(be32 value) { return __builtin_bswap32(static_cast<u32>(value)); }
constexpr be16 big(u16 value) { return static_cast<be16>(__builtin_bswap16(value)); }
constexpr be32 big(u32 value) { return static_cast<be32>(__builtin_bswap32(value)); }

}  // namespace penstock
