// The only way to a header: header_at gives it if the frame holds all of it. After a resize of the frame every header pointer
// is stale: ask again.
#pragma once

#include "datapath/core/platform.hpp"

namespace penstock {

// Null when the frame ends before the header does. `offset` must be bounded (BPF's verifier wants to know by what).
template <typename Header, Platform P>
PEN_INLINE Header* header_at(const P& p, u32 offset) {
  u8* at = p.data() + offset;
  if (at + sizeof(Header) > p.data_end()) return nullptr;
  return reinterpret_cast<Header*>(at);
}

}  // namespace penstock
