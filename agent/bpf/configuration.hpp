// What the programs on a real server are told when they are loaded: constants of theirs, and the keys of their maps. C-plain, as
// kernel and command both read it.
#pragma once

#include "datapath/abi/types.hpp"

namespace penstock::agent {

static constexpr u32 addresses_max = 1024;  // of each map below
static constexpr u32 directors_max = 256;

// IPv4 addresses stand as ::ffff:a.b.c.d (RFC 4291 §2.5.5.2), so that one key serves both families.
struct AddressKey {
  u32 words[4];  // network order
};

// A key of a trie: the kernel reads `bits` in the host's order.
struct PrefixKey {
  u32 bits;
  AddressKey address;
};

// Of clamp_mss: what fits into one packet of the interface's MTU once a tunnel's headers are before it.
struct ClampConfig {
  u32 overhead;  // bytes of a tunnel's headers, at most
  u32 mss;       // 0: by MTU and overhead, otherwise this
};

// Of client_address.
struct ClientConfig {
  u64 namespace_cookie;  // sockets of other network namespaces are left alone
  u32 option_kind;
  u32 reserved;
};

// A client, as the director told it.
struct Client {
  AddressKey address;
  be16 port;
  u16 reserved;
};

}  // namespace penstock::agent
