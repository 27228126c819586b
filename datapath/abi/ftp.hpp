// FTP through nat: how far the numbers of a real server's bytes are shifted, because the director gave its texts another
// length.
#pragma once

#include "datapath/abi/types.hpp"

namespace penstock {

// Changes as one word, so that a packet meets the old shift or the new one. As conntrack's, which IPVS uses
// (nf_conn_seqadj), but for the room: when its texts have grown by 8 MiB, which takes a million transfers, a control
// connection's answers are no longer rewritten.
struct alignas(8) Shift {
  u32 position;  // number of the segment that was changed last, as the server counts
  u32 bytes;     // bits 0-23: added to the numbers behind it; 24-31: by how much that changed there. Both signed
};
static_assert(sizeof(Shift) == 8);

static constexpr s32 shift_max = (1 << 23) - 1;
static constexpr s32 shift_change_max = 127;

}  // namespace penstock
