// FTP through nat: how far the director has shifted the numbers of a real server's bytes, by giving its texts another length.
#pragma once

#include "datapath/abi/types.hpp"

namespace penstock {

// Changes as one word, so that a packet meets the old shift or the new one. As conntrack's, which IPVS uses (nf_conn_seqadj), but for
// the room: when its texts have grown by 8 MiB, which takes a million transfers, a control connection's answers are no longer rewritten.
struct alignas(8) Shift {
  u32 position;  // number of the segment that was changed last, as the server counts
  u32 bytes;  // bits 0-23: added to what stands behind it; 24-31: the change there, which isn't added up to it. Signed
};
static_assert(sizeof(Shift) == 8);

static constexpr s32 shift_max = (1 << 23) - 1;
static constexpr s32 shift_change_max = 127;

}  // namespace penstock
