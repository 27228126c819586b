// How the real server's programs declare maps and read packets.
#pragma once

#include <linux/bpf.h>

#include "agent/bpf/configuration.hpp"
#include "datapath/core/inline.hpp"

#define PEN_SECTION(name) __attribute__((section(name), used))

// A set of addresses. libbpf reads the numbers off the array types' lengths.
#define PEN_ADDRESS_SET(map_name)                         \
  struct map_name##_map {                                 \
    int (*type)[BPF_MAP_TYPE_HASH];                       \
    int (*max_entries)[penstock::agent::addresses_max];   \
    int (*key_size)[sizeof(penstock::agent::AddressKey)]; \
    int (*value_size)[1];                                 \
  };                                                      \
  PEN_SECTION(".maps") map_name##_map map_name

namespace penstock::agent {

PEN_INLINE AddressKey mapped(u32 ipv4) { return {{0, 0, static_cast<u32>(big(u32{0xffff})), ipv4}}; }

// Any map: what stands under the key.
PEN_INLINE void* find(void* map, const void* key) {
  return reinterpret_cast<void* (*)(void*, const void*)>(1)(map, key);  // BPF_FUNC_map_lookup_elem
}

// A header in the part of the packet that can be read by pointer, or nothing.
template <typename Header, typename Context>
PEN_INLINE Header* header_at(const Context* context, u32 offset) {
  auto* at = reinterpret_cast<u8*>(static_cast<u64>(context->data)) + offset;
  const auto* end = reinterpret_cast<u8*>(static_cast<u64>(context->data_end));
  return at + sizeof(Header) <= end ? reinterpret_cast<Header*>(at) : nullptr;
}

}  // namespace penstock::agent
